"""Every method's kernels against numpy, on slices of all shapes."""

import numpy as np
import pytest

from tomobatch.opencl.devices import find_device
from tomobatch.reconstruct.geometry import make_geometry
from tomobatch.reconstruct.iterative import selftest
from tomobatch.reconstruct.iterative.cut import rays, tiles
from tomobatch.reconstruct.iterative.methods import ITERATIONS

SHAPES = {
    "a region": {"mask": False, "roi": (1, 0, 9, 11)},
    "no mask": {"mask": False},
    "a small disk in a wide slice": {"size_px": 19, "mask": 4.0},
    "a mask wider than the slice": {"mask": 50.0},
    "binned by 2": {"binning": 2},
    "a region, binned by 2, off the grid of the whole": {"binning": 2, "roi": (1, 2, 8, 6)},
    "half acquisition": {"half_acquisition": True},
}


def test_every_cut_is_right_on_this_device() -> None:
    geometry = make_geometry(np.random.default_rng(0).uniform(0, 2 * np.pi, 24), 37)
    checks = list(selftest.check_kernels(find_device("cpu"), geometry))
    assert [check for check in checks if not check.passed] == []
    assert max(check.error for check in checks) < 1e-5


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("method", ITERATIONS)
def test_slices_of_all_shapes(shape, method) -> None:
    options = SHAPES[shape]
    turn = np.arange(0.1, 6.3, 0.31)
    angles = turn if "half_acquisition" in options else np.array([0, 1, 1.5, 2.5, np.pi / 2])
    geometry = make_geometry(angles, 13, **options)
    for cut in (tiles(4), rays(4)):
        check = selftest.check_method(find_device("cpu"), geometry, method, cut)
        assert check.passed, check
