"""A slice of a preview is the one that a run gives, whatever its settings."""

import numpy as np
import pytest
from tests.in_process import reconstruct

from tomobatch.config.schema import load_config
from tomobatch.errors import UserError
from tomobatch.phantom.write import write_phantom
from tomobatch.phantom.write_cone import write_cone_phantom
from tomobatch.plan_scan import plan_scan
from tomobatch.preview.known import NOT_ITERATED, Known
from tomobatch.preview.slices import make_preview
from tomobatch.scan.open import open_scan
from tomobatch.stripes.choice import StripeChoice

# Of the largest value of the slice: float32 has seven digits, and blocks of another size are summed
# in another order.
SAME = 1e-6
AXIS_OF_TALL = {"cor_px": 24.4, "tilt_deg": 0.3}
AXIS = {"cor_px": 33.2, "tilt_deg": 0.3}


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    path = tmp_path_factory.mktemp("scan") / "scan.h5"
    write_phantom(path, size=64, n_rows=40, n_angles=80, n_flats=6, n_darks=6)
    return path


def preview(path, sections, rows, changes=(), known=None):
    config = {"scans": {"scan": str(path)}, **sections}
    base = load_config(config)

    def with_changes(one):
        changed = {key: dict(value) for key, value in sections.items()}
        for key, value in one.items():
            section, name = key.split(".")
            changed.setdefault(section, {})[name] = value
        return plan_scan(load_config({**config, **changed}), "scan", opened.header)

    with open_scan(path, base.scans["scan"].datasets) as opened:
        plan = plan_scan(base, "scan", opened.header)
        return make_preview(opened, plan, rows, changes, with_changes, known or Known())


def assert_same(image, expected, tolerance=SAME):
    assert image.shape == expected.shape
    largest = float(np.abs(image - expected).max())
    assert largest <= tolerance * float(np.abs(expected).max())


@pytest.mark.parametrize(
    "sections",
    [
        {"stripes": {"method": "filtering"}},
        {
            "phase": {"method": "paganin", "delta_beta": 30.0, "distance_mm": 20.0},
            "stripes": {"method": "none"},
        },
        {
            "stripes": {"method": "all"},
            "reconstruct": {
                "roi_px": [10, 4, 30, 20],
                "binning": 2,
                "filter": "hann",
                "remove_rings": True,
            },
            "volume": {"orientation": "astra"},
            "normalise": {"flats": "mean"},
            "tube": {"hardening": "material", "kv": 80, "scatter": 0.01},
        },
        {
            "stripes": {"method": "none"},
            "reconstruct": {"method": "cgls", "residual": "noise", "start": "fbp"},
            "chunks": {"slices": 24},
        },
    ],
    ids=["plain", "phase", "part", "iterations"],
)
def test_rows_are_those_of_the_run(scan, tmp_path, sections):
    sections = {"calibrate": AXIS, **sections}
    run = reconstruct(tmp_path, scan, sections)
    made = preview(scan, sections, [0, 17, 39])
    for tile, row in zip(made.tiles, (0, 17, 39), strict=True):
        assert_same(tile.image, run.volume[row])


@pytest.mark.parametrize(
    "datasets",
    [
        {"rows": "3-38", "binning": 2},
        {"columns": "2-37", "rows": "4-59", "quarter_turn": "clockwise"},
    ],
    ids=["binned", "turned"],
)
def test_rows_of_pictures_seen_otherwise_are_those_of_the_run(scan, tmp_path, datasets):
    distortion = {"x_px": 30, "y_px": 18, "coefficients": [1, 2e-4, -3e-6]}
    sections = {
        "datasets": {**datasets, "distortion": distortion},
        "stripes": {"method": "filtering"},
        "calibrate": {"cor_px": 16.2, "tilt_deg": 0.2},
    }
    run = reconstruct(tmp_path, scan, sections)
    rows = [0, 7, len(run.volume) - 1]
    made = preview(scan, sections, rows)
    for tile, row in zip(made.tiles, rows, strict=True):
        assert_same(tile.image, run.volume[row])


def test_phase_retrieval_looks_as_far_as_it_must(tmp_path):
    path = tmp_path / "tall.h5"
    write_phantom(path, size=48, n_rows=240, n_angles=60, n_flats=6, n_darks=6)
    phase = {"method": "paganin", "delta_beta": 2e4, "distance_mm": 100.0}
    sections = {"phase": phase, "stripes": {"method": "none"}, "calibrate": AXIS_OF_TALL}
    run = reconstruct(tmp_path / "results", path, sections)
    # Near the detector's edge too, beyond which all goes on as a mirror image.
    rows = [5, 120]
    made = preview(path, sections, rows)
    for band, tile, row in zip(made.bands, made.tiles, rows, strict=True):
        assert band.high - band.low < 240
        # Transforms of another length round otherwise, in a slice with a fourth of the contrast.
        assert_same(tile.image, run.volume[row], 4 * SAME)


def test_after_a_run_its_axis_and_its_choice_are_taken(scan, tmp_path):
    run = reconstruct(tmp_path, scan)
    stripes = StripeChoice.from_json((tmp_path / "stripes.json").read_text())
    made = preview(scan, {}, [5], known=Known(stripes, run.calibration))
    assert_same(made.tiles[0].image, run.volume[5])
    assert made.is_from_run


def test_a_slice_of_a_cone_is_that_of_the_run_or_by_fdk_where_that_iterates(tmp_path):
    path = tmp_path / "cone.nx"
    write_cone_phantom(path, size=48, n_rows=32, n_angles=72)
    sections = {"stripes": {"method": "none"}, "calibrate": {"cor_px": 23.9, "tilt_deg": 0.0}}
    run = reconstruct(tmp_path / "results", path, sections)
    made = preview(path, sections, [9], [{"reconstruct.method": "sirt"}])
    for tile in made.tiles:
        assert_same(tile.image, run.volume[9])
    assert NOT_ITERATED in made.warnings
    assert NOT_ITERATED not in preview(path, sections, [9]).warnings


def test_a_variant_is_the_run_with_its_settings(scan, tmp_path):
    base = {"stripes": {"method": "none"}, "calibrate": AXIS}
    change = {"reconstruct.filter": "cosine", "calibrate.cor_px": 34.0}
    made = preview(scan, base, [20], [change])
    own = {
        "stripes": {"method": "none"},
        "calibrate": {**AXIS, "cor_px": 34.0},
        "reconstruct": {"filter": "cosine"},
    }
    run = reconstruct(tmp_path, scan, own)
    assert [tile.variant for tile in made.tiles] == [0, 1]
    assert_same(made.tiles[1].image, run.volume[20])
    assert made.variants[0].changes == {"reconstruct.filter": "ramp", "calibrate.cor_px": 33.2}


def test_the_found_axis_is_near_the_true_one_and_sharpest(scan):
    with open_scan(scan) as opened:
        true_px = opened.header.known_axis.cor_px
    sweep = [{"calibrate.cor_px": float(true_px + step)} for step in (-3, -1.5, 1.5, 3)]
    made = preview(scan, {}, [20], sweep)
    assert abs(made.found.line.mid_px - true_px) < 0.5
    sharpest = max(made.tiles, key=lambda tile: tile.figures.sharpness)
    assert sharpest.variant == 0


def test_what_is_found_is_not_shown_twice(scan):
    sweep = [{"stripes.method": method} for method in ("none", "filtering", "all")]
    made = preview(scan, {"stripes": {"method": "filtering"}}, [20], sweep)
    assert [one.changes["stripes.method"] for one in made.variants] == ["filtering", "none", "all"]
    figures = {tile.stripes: tile.figures for tile in made.tiles}
    assert figures["none"].rings > figures["all"].rings


def test_a_row_that_is_none_is_told(scan):
    with pytest.raises(UserError, match="40 is not among the rows of the scan, 0 to 39"):
        preview(scan, {}, [40])
