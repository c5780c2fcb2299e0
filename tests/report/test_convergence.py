"""How iterations went, from the jobs to the report."""

import json
import re

import numpy as np
import pytest
from tests.in_process import reconstruct

from tomobatch.phantom.write import write_phantom
from tomobatch.report.convergence import gather_convergence


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    path = tmp_path_factory.mktemp("scan") / "scan.h5"
    write_phantom(path, size=48, n_rows=12, n_angles=40, n_flats=4, n_darks=4)
    return path


def run(folder, scan, slices, **options):
    sections = {
        "reconstruct": {"method": "sirt", "iterations": 8, **options},
        "chunks": {"slices": slices},
        "calibrate": {"cor_px": 23.5, "tilt_deg": 0.1},
        "stripes": {"method": "none"},
        "volume": {"levels": 1},
    }
    return reconstruct(folder, scan, sections)


def test_the_report_draws_how_the_residual_fell(scan, tmp_path):
    made = run(tmp_path, scan, 8, residual=0.001)
    records = [json.loads(path.read_text()) for path in (tmp_path / "records").rglob("*.json")]
    found = gather_convergence(records)
    assert found.residuals.shape == (3, 9)
    assert found.residuals[:, 0] == pytest.approx(1)
    assert (np.diff(found.residuals, axis=1) < 0).all()
    assert (np.diff(found.residuals, axis=0) >= 0).all()
    assert found.iterations == (8, 8)
    warnings = made.findings.warnings
    assert sum("did not come down to the residual 0.001 in 8 iterations" in w for w in warnings) > 0
    page = (tmp_path / "report.html").read_text()
    assert "How the iterations went" in page
    assert re.search(r"sirt, 8 iterations: 0\.\d+ of the projections is left", page)


def test_chunks_that_stop_apart_are_drawn_together():
    def record(*residuals, iterations):
        curves = [list(residuals)] * 3
        facts = {"residuals": curves, "noise": 0.1, "iterations": iterations}
        return {"timeline": {"convergence": facts}}

    records = [
        record(1.0, 0.5, 0.2, iterations=[2, 2]),
        record(1.0, 0.4, iterations=[1, 1]),
        {"timeline": {"convergence": None}},
        {"rule": "process"},
    ]
    found = gather_convergence(records)
    assert found.residuals.tolist() == [[1, 0.4, 0.2], [1, 0.45, pytest.approx(0.3)], [1, 0.5, 0.4]]
    assert found.iterations == (1, 2)
    assert gather_convergence(records[2:]) is None


def test_the_volume_is_the_same_whatever_the_chunk_sizes(scan, tmp_path):
    whole = run(tmp_path / "12", scan, 12, residual=0.2).volume
    for slices in (1, 5):
        other = run(tmp_path / str(slices), scan, slices, residual=0.2).volume
        assert np.abs(other - whole).max() <= 1e-6 * np.ptp(whole)
