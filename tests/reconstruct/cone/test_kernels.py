"""Every variant of the back-projection computes what the float64 twin does; chunks do not show."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from tests.reconstruct.cone.cone_scans import ellipsoids, ideal, scan

from tomobatch.beam import ConeBeam
from tomobatch.errors import UserError
from tomobatch.opencl import buffers
from tomobatch.opencl.devices import find_device
from tomobatch.reconstruct.cone import fdk
from tomobatch.reconstruct.cone.geometry import make_cone_geometry
from tomobatch.reconstruct.cone.slabs import reconstruct_slab, slab_height
from tomobatch.reconstruct.cone.twin import fdk_twin
from tomobatch.reconstruct.cone.variants import choose_variant, columns, image, local

N_ROWS, N_COLS, N_ANGLES = 40, 48, 30
ANGLES = np.arange(N_ANGLES) * 2 * np.pi / N_ANGLES
LOCAL_BYTES = 32 * 1024  # the least that OpenCL 1.2 grants a GPU
PLAIN = ConeBeam(100, 200, 1.0, 1.0)
BEAMS = {
    "plain": PLAIN,
    "shifted": ConeBeam(
        100, 200, 1.0, 1.1, shift_u_px=1.2, shift_v_px=-2, axis_shift_px=1.5, sense=-1
    ),
    "turned": replace(PLAIN, roll_deg=2, tilt_deg=3, slant_deg=-2, shift_v_px=3),
    "offset": replace(PLAIN, axis_shift_px=12),
    "drifting": replace(
        PLAIN, drift_px=tuple((float(np.sin(k)), float(np.cos(3 * k))) for k in range(N_ANGLES))
    ),
}


def variants(geometry):
    return {
        "columns": columns(geometry, N_ROWS),
        "local": local(geometry, LOCAL_BYTES),
        "image": image(),
    }


OPTIONS = {
    "disk": {},
    "region": {"mask": False, "size_px": 40, "roi": (3, 2, 30, 20)},
    "binned": {"binning": 2},
}


@cache
def case(beam, options):
    """Return sinograms of noise, their geometry, and their slices by the twin."""
    sinograms = np.random.default_rng(1).normal(size=(N_ROWS, N_ANGLES, N_COLS)).astype(np.float32)
    geometry = make_cone_geometry(BEAMS[beam], ANGLES, N_ROWS, N_COLS, **OPTIONS[options])
    return sinograms, geometry, fdk_twin(sinograms, geometry, 0, N_ROWS)


@pytest.mark.parametrize("variant", ["columns", "local", "image"])
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("beam", BEAMS)
def test_variant_equals_the_twin(beam, options, variant):
    sinograms, geometry, expected = case(beam, options)
    # Noise has no smooth place: a float32 coordinate moves it by some 1e-6 of its largest value.
    tolerance = 1e-5 * np.abs(expected).max()
    for slices in ((0, N_ROWS), (20, 31)):
        found = reconstruct_slab(
            lambda rows, angles: sinograms[rows, angles],
            slices,
            geometry,
            find_device(),
            variants(geometry)[variant],
        )
        assert found == pytest.approx(expected[slice(*slices)], abs=tolerance)


@pytest.mark.parametrize("beam", [BEAMS["shifted"], BEAMS["turned"]], ids=["shifted", "turned"])
def test_a_slab_reads_only_the_rows_it_needs(beam):
    geometry = make_cone_geometry(beam, ANGLES, N_ROWS, N_COLS)
    sinograms = np.random.default_rng(2).normal(size=(N_ROWS, N_ANGLES, N_COLS)).astype(np.float32)
    for start, stop in ((0, 8), (16, 24), (33, 40)):
        first, last = geometry.rows_needed(start, stop)
        spoilt = np.full_like(sinograms, 1e9)
        spoilt[first:last] = sinograms[first:last]
        expected = fdk_twin(sinograms, geometry, start, stop)
        found = fdk_twin(spoilt, geometry, start, stop)
        assert last - first < 24
        assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("change", [{}, {"roll_deg": 1.5}], ids=["straight", "rolled"])
def test_chunks_do_not_show(change):
    plain, n_rows, n_cols = ideal(48)
    beam = replace(plain, **change)
    angles = np.arange(120) * 2 * np.pi / 120
    sinograms = scan(ellipsoids(48, beam.source_voxels), beam, angles, n_rows, n_cols)
    geometry = make_cone_geometry(beam, angles, n_rows, n_cols, size_px=48)
    whole = fdk(sinograms, angles, beam, size_px=48)
    for start, stop in ((0, 7), (7, 39), (39, 40), (40, n_rows)):
        slab = reconstruct_slab(
            lambda rows, angles: sinograms[rows, angles],
            (start, stop),
            geometry,
            find_device(),
            columns(geometry, stop - start),
        )
        assert slab == pytest.approx(whole[start:stop], abs=1e-6 * float(np.abs(whole).max()))


def test_memory_of_a_gpu_is_copied(monkeypatch):
    sinograms = np.random.default_rng(3).normal(size=(N_ROWS, N_ANGLES, N_COLS)).astype(np.float32)
    in_place = fdk(sinograms, ANGLES, PLAIN)
    monkeypatch.setattr(buffers, "_in_place", lambda queue: False)
    assert np.array_equal(fdk(sinograms, ANGLES, PLAIN), in_place)


def test_values_that_are_not_finite_are_named():
    sinograms = np.zeros((N_ROWS, N_ANGLES, N_COLS), dtype=np.float32)
    sinograms[17, 5, 3] = np.nan
    with pytest.raises(UserError, match="row 17, projection 5"):
        fdk(sinograms, ANGLES, PLAIN)


class Small:
    """What a device says of itself."""

    def __init__(self, local_mem_type: int, local_bytes: int, images: bool, memory: int) -> None:
        self.cl_device = self
        self.local_mem_type, self.local_mem_size = local_mem_type, local_bytes
        self.image_support, self.image_max_array_size = images, 2048
        self.max_mem_alloc_size = memory
        self.name = "small"
        self._memory = memory

    def free_memory_bytes(self) -> int:
        return self._memory


@pytest.mark.parametrize(
    ("own_local", "local_bytes", "images", "expected"),
    [
        (False, 2**20, True, "columns"),
        (True, LOCAL_BYTES, True, "local"),
        (True, 1024, True, "image"),
        (True, 1024, False, "columns"),
    ],
)
def test_variant_follows_the_properties(own_local, local_bytes, images, expected):
    geometry = make_cone_geometry(PLAIN, ANGLES, N_ROWS, N_COLS)
    device = Small(1 if own_local else 2, local_bytes, images, 2**30)
    assert choose_variant(device, geometry, 32).name == expected


def test_a_small_device_is_given_smaller_slabs_and_a_tiny_one_is_refused():
    geometry = make_cone_geometry(PLAIN, ANGLES, 400, N_COLS)
    assert slab_height(Small(2, 0, False, 2**30), geometry, 400) == 400
    assert slab_height(Small(2, 0, False, 6 * 2**20), geometry, 400) < 400
    with pytest.raises(UserError, match="slices of 48 px needs"):
        slab_height(Small(2, 0, False, 2**18), geometry, 400)
