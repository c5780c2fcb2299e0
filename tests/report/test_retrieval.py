"""The report shows what phase retrieval did to a projection, and nothing where none was asked."""

import numpy as np
import pytest
import zarr
from tests.in_process import reconstruct

from tomobatch.normalise.missing import MISSING
from tomobatch.phantom.write import write_phantom
from tomobatch.phase.blur import PhaseBlur
from tomobatch.phase.retrieve import retrieve_phase
from tomobatch.report.retrieval import before_and_after
from tomobatch.scan.open import open_scan
from tomobatch.stores.references import load_references

PHASE = {"method": "paganin", "delta_beta": 1e4, "distance_mm": 20.0}
TITLES = "Its middle before phase retrieval", "A sinogram before stripe removal"


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    path = tmp_path_factory.mktemp("scan") / "scan.h5"
    write_phantom(path, size=32, n_rows=16, n_angles=40, n_flats=4, n_darks=4)
    return path


def made(folder, scan, **sections):
    given = {"calibrate": {"cor_px": 15.5, "tilt_deg": 0}, "stripes": {"method": "none"}}
    return reconstruct(folder, scan, {**given, "volume": {"levels": 1}, **sections})


def test_a_projection_is_shown_without_retrieval_and_with_it(scan, tmp_path):
    run = made(tmp_path, scan, phase=PHASE)
    blur = run.plan.corrections.phase
    assert isinstance(blur, PhaseBlur)
    stored = zarr.open_array(tmp_path / "projections.zarr", mode="r")[20]
    references = load_references(tmp_path / "references.h5")
    with open_scan(str(scan)) as opened:
        before, after = before_and_after(opened, 20, stored, references, run.plan.settings)
        lost = np.full_like(stored, MISSING)
        assert before_and_after(opened, 20, lost, references, run.plan.settings) is None
    np.testing.assert_array_equal(after, stored)
    assert np.abs(before - after).max() > 0.05
    # What is shown as before becomes, by the filter, what is shown as after.
    again = before[np.newaxis].copy()
    retrieve_phase(again, blur)
    np.testing.assert_allclose(again[0], after, atol=1e-5)
    assert run.findings is not None
    page = (tmp_path / "report.html").read_text()
    assert [title in page for title in TITLES] == [True, True]


def test_without_retrieval_no_pictures_of_it_are_shown(scan, tmp_path):
    assert made(tmp_path, scan).findings is not None
    page = (tmp_path / "report.html").read_text()
    assert [title in page for title in TITLES] == [False, True]
