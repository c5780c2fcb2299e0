"""What cannot be reconstructed is refused when a scan is planned, not hours later."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tomobatch import job_memory
from tomobatch.beam import ConeBeam
from tomobatch.cli.shared.disk import foretell_disk
from tomobatch.config.schema import load_config
from tomobatch.errors import UserError
from tomobatch.plan_scan import plan_scan
from tomobatch.scan.header import AngleSource, ScanHeader


def planned(span_deg=180.0, cor_px=None, chunks=None, beam=None, n_rows=16, **reconstruct):
    """Plan a scan of 16 rows x 20 columns, unless more are asked for."""
    header = ScanHeader(
        path="tooth.h5",
        format="HDF5",
        n_projections=30,
        n_rows=n_rows,
        n_cols=20,
        dtype=np.dtype(np.uint16),
        angles_rad=np.deg2rad(np.linspace(0, span_deg, 30, endpoint=False)),
        angle_source=AngleSource.FILE,
        pixel_size_um=None,
        energy_kev=None,
        n_flats=10,
        n_darks=10,
        known_axis=None,
        beam=beam,
    )
    calibrate = {"cor_px": cor_px}
    sections = {"reconstruct": reconstruct, "calibrate": calibrate, "chunks": chunks or {}}
    config = load_config({"scans": {"tooth": "tooth.h5"}, **sections})
    return plan_scan(config, "tooth", header)


def test_the_memory_of_a_job_is_three_copies_of_its_data_and_the_interpreter():
    """32 of 64 projections and rows: of what a job reads, makes and writes, float32."""
    plan = planned(chunks={"projections": 8, "slices": 4})
    assert job_memory.of_projections(plan) == 500 + round(3 * 4e-6 * 8 * 16 * 20)
    assert job_memory.of_slices(plan) == 500 + round(3 * 4e-6 * 4 * 30 * 20)
    large = planned(size_px=2000)
    assert job_memory.of_slices(large) == 500 + round(3 * 4e-6 * 16 * 2000**2)


def test_a_turn_that_may_be_merged_has_memory_for_slices_twice_as_wide():
    turn, merged = (planned(360.0, half_acquisition=asked) for asked in ("auto", False))
    assert (turn.may_merge, merged.may_merge) == (True, False)
    assert turn.row_values == 4 * 20 * 20
    assert merged.row_values == 30 * 20


def test_measured_peaks_stay_within_what_is_asked_for():
    """The table of benchmarks/memory.py: no job took more, none was given twice what it took."""
    table = (Path(__file__).parents[1] / "benchmarks/results/memory.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:-1] for line in table.splitlines() if line.startswith("| ")][1:]
    peaks = {row[0].strip(): (float(row[3]), float(row[4])) for row in rows}
    assert {"preprocess", "process", "reconstruct"} <= peaks.keys()
    assert all(peak_mb <= bound_mb for bound_mb, peak_mb in peaks.values())
    for step in ("preprocess", "process", "reconstruct"):
        bound_mb, peak_mb = peaks[step]
        assert bound_mb < 2 * peak_mb, step


@pytest.mark.parametrize(
    ("reconstruct", "message"),
    [
        ({"roi_px": [0, 0, 21, 20]}, r"roi_px: \[0, 0, 21, 20\] is not inside a slice of 20 x 20"),
        ({"size_px": 10, "roi_px": [0, 0, 20, 20]}, "is not inside a slice of 10 x 10"),
        ({"binning": 21}, "binning: 21 does not fit"),
        ({"half_acquisition": True}, "half acquisition needs projections all around"),
    ],
)
def test_slices_that_do_not_fit_the_scan_are_refused(reconstruct, message):
    with pytest.raises(UserError, match=message):
        planned(**reconstruct)


@pytest.mark.parametrize("cor_px", [-0.5, 19.5, 1023.5])
def test_an_axis_outside_the_detector_is_refused(cor_px):
    with pytest.raises(UserError, match=r"cor_px is .*, outside the detector, .* 0 to 19"):
        planned(cor_px=cor_px)


@pytest.mark.parametrize("cor_px", [0, 9.5, 19])
def test_an_axis_on_the_detector_is_taken(cor_px):
    assert planned(cor_px=cor_px).config.calibrate.cor_px == cor_px


def test_a_run_that_the_disk_can_not_take_is_refused_before_it_starts(tmp_path, capsys):
    plan = planned()
    with pytest.raises(UserError, match=r"are needed in .*/results, .* are free: free some"):
        foretell_disk(
            {"a": replace(plan, header=replace(plan.header, n_rows=10**13))}, tmp_path / "results"
        )
    foretell_disk({"a": plan}, tmp_path / "results")
    assert capsys.readouterr().out.startswith("Up to 0.1 MB are needed in ")


@pytest.mark.parametrize(
    ("reconstruct", "shape_px"),
    [
        ({}, (20, 20)),
        ({"size_px": 30}, (30, 30)),
        ({"binning": 3}, (6, 6)),
        ({"roi_px": [2, 3, 8, 6], "binning": 2}, (3, 4)),
        ({"half_acquisition": True}, (40, 40)),
        ({"half_acquisition": True, "roi_px": [0, 0, 40, 8]}, (8, 40)),
    ],
)
def test_slices_that_fit_have_the_shape_asked_for(reconstruct, shape_px):
    assert planned(360.0, **reconstruct).slice_shape_px == shape_px


def test_the_pixels_of_a_binned_region_are_told_in_those_of_the_detector():
    layout = planned(roi_px=[2, 3, 8, 6], binning=2).volume_layout
    group = json.loads(layout.group_metadata("tooth", (0.0, 1.0)))
    scale, translation = group["attributes"]["ome"]["multiscales"][0]["datasets"][0][
        "coordinateTransformations"
    ]
    assert scale["scale"] == [1, 2, 2]
    assert translation["translation"] == [0, 3.5, 2.5]


def test_chunks_that_fit_the_memory_are_whole_blocks_of_the_pyramid():
    """Seven rows of 30 x 20 fit; the coarsest of three levels is made of four slices."""
    assert planned(chunks={"slices": "auto", "memory_mb": 7.5 * 4e-6 * 600}).rows.size == 4


def test_iterations_keep_images_and_rays_of_a_block():
    """TV: six images and three sets of rays of 16 slices, and what a start from FBP takes."""
    chunks = {"slices": 16}
    usual = job_memory.of_slices(planned(chunks=chunks, size_px=500))
    more = job_memory.of_slices(planned(chunks=chunks, size_px=500, method="tv")) - usual
    images = 4e-6 * 16 * 500**2
    assert 7 * images < more < 11 * images
    fewer = job_memory.of_slices(planned(chunks=chunks, size_px=500, method="sirt")) - usual
    assert more - fewer == pytest.approx(3 * images, rel=0.15)


CONE = ConeBeam(100, 200, 1.0, 1.0)


def test_iterations_on_a_cone_are_one_job_with_the_memory_for_the_volume():
    """SIRT: three volumes and six sets of rays, and one with a start from FDK."""
    n_rows, chunks = 600, {"slices": 4}
    plan = planned(360.0, beam=CONE, n_rows=n_rows, method="sirt", chunks=chunks)
    assert plan.slices.n_chunks == 1
    assert list(plan.rows_of(0)) == list(range(plan.rows.n_chunks))
    header = plan.header
    rays_mb = 4e-6 * header.n_projections * header.n_cols * n_rows
    volume_mb = 4e-6 * header.n_cols**2 * n_rows
    least = 6 * rays_mb + 3 * volume_mb
    assert least < job_memory.of_slices(plan) < 1.6 * least + 600


def test_a_chunk_of_a_cone_waits_for_the_chunks_that_it_reads_and_no_others():
    plan = planned(360.0, beam=CONE, chunks={"slices": 4})
    for chunk in range(plan.slices.n_chunks):
        first, stop = plan.cone_geometry().rows_needed(*plan.slices.range(chunk))
        read = [k for k, (start, end) in enumerate(plan.rows) if start < stop and end > first]
        assert list(plan.rows_of(chunk)) == read


@pytest.mark.parametrize(("n_rows", "size"), [(16, 16), (100, 64), (600, 128), (3000, 256)])
def test_chunks_of_a_cone_are_a_fourth_of_its_rows_within_bounds(n_rows, size):
    assert planned(360.0, beam=CONE, n_rows=n_rows).slices.size == size


def test_the_choice_against_stripes_holds_eight_rows_and_one_by_every_method():
    plan = planned(size_px=500)
    rows_mb, work_mb = 3 * 4e-6 * 8 * 30 * 20, 40 * 4e-6 * 500**2
    assert job_memory.of_stripes(plan) == 500 + round(rows_mb) + round(work_mb)
