"""The variants for GPUs compute what the one for CPUs computes; run here on whatever there is."""

import numpy as np
import pytest

from tomobatch.opencl import buffers
from tomobatch.opencl.devices import find_device
from tomobatch.reconstruct.direct import DirectEngine
from tomobatch.reconstruct.geometry import make_geometry
from tomobatch.reconstruct.slices import fbp
from tomobatch.reconstruct.twin import fbp_twin
from tomobatch.reconstruct.variants import Variant, choose_variant, image, local, tiles

LOCAL_BYTES = 32 * 1024  # the least that OpenCL 1.2 grants a GPU

CASES = [
    *((lanes, tiles(lanes)) for lanes in (1, 4, 8, 16, 32)),
    *((lanes, local(lanes, 1, LOCAL_BYTES)) for lanes in (1, 4, 8, 16, 32)),
    (4, image()),
]


def names(value: object) -> str | None:
    return value.name if isinstance(value, Variant) else None


@pytest.mark.parametrize(("lanes", "variant"), CASES, ids=names)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"mask": False, "roi": (3, 0, 30, 37)},
        {"size_px": 70, "mask": 20.0},
    ],
    ids=["disk", "region", "small disk in a wide slice"],
)
def test_variant_equals_the_reference(lanes, variant, options) -> None:
    rng = np.random.default_rng(lanes)
    sinograms = rng.normal(size=(lanes, 19, 37)).astype(np.float32)
    geometry = make_geometry(rng.uniform(0, 6, 19), 37, **options)
    found = np.empty((lanes, *geometry.shape_px), dtype=np.float32)
    cors = rng.uniform(16, 20, lanes)
    DirectEngine(find_device(), geometry, lanes, variant=variant)(sinograms, cors, found)
    for lane in {0, lanes - 1}:
        expected = fbp_twin(sinograms[lane], geometry, cors[lane])
        assert found[lane] == pytest.approx(expected, abs=1e-5 * np.abs(expected).max())


def test_binning_widens_the_strips() -> None:
    rng = np.random.default_rng(0)
    sinograms = rng.normal(size=(4, 19, 64)).astype(np.float32)
    geometry = make_geometry(rng.uniform(0, 6, 19), 64, binning=3)
    found = np.empty((4, *geometry.shape_px), dtype=np.float32)
    variant = local(4, 3, LOCAL_BYTES)
    DirectEngine(find_device(), geometry, 4, variant=variant)(sinograms, np.full(4, 31.0), found)
    expected = fbp_twin(sinograms[3], geometry, 31.0)
    assert found[3] == pytest.approx(expected, abs=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("method", ["direct", "fourier"])
def test_memory_of_a_gpu_is_copied(method, monkeypatch) -> None:
    """As on a GPU: buffers are the device's own, nothing is computed in the host's memory."""
    rng = np.random.default_rng(0)
    sinograms = rng.normal(size=(3, 10, 24)).astype(np.float32)
    angles = np.arange(10) * np.pi / 10
    in_place = fbp(sinograms, angles, method=method)
    monkeypatch.setattr(buffers, "_in_place", lambda queue: False)
    assert np.array_equal(fbp(sinograms, angles, method=method), in_place)


class Properties:
    """What a device says of itself."""

    image2d_max_height = 16384

    def __init__(
        self, local_mem_type: int, local_mem_size: int, image_support: bool, width: int
    ) -> None:
        self.cl_device = self
        self.image2d_max_width = width
        self.local_mem_type = local_mem_type
        self.local_mem_size = local_mem_size
        self.image_support = image_support


@pytest.mark.parametrize(
    ("own_local", "local_bytes", "images", "width", "lanes", "expected"),
    [
        (False, 2**20, True, 16384, 32, "tiles"),
        (True, 48 * 1024, True, 16384, 32, "local"),
        (True, 256, True, 16384, 4, "image"),
        (True, 256, True, 37, 4, "tiles"),
        (True, 256, True, 16384, 32, "tiles"),
        (True, 256, False, 16384, 4, "tiles"),
    ],
)
def test_variant_follows_the_properties(
    own_local, local_bytes, images, width, lanes, expected
) -> None:
    kind = 1 if own_local else 2  # CL_LOCAL, CL_GLOBAL
    geometry = make_geometry([0.0], 32)
    device = Properties(kind, local_bytes, images, width)
    assert choose_variant(device, geometry, lanes).name == expected
