"""The model of GPUs that nobody has measured: what it counts, and that it says so."""

import numpy as np
import pytest

from tomobatch.reconstruct import methods
from tomobatch.reconstruct.geometry import make_geometry
from tomobatch.reconstruct.methods import METHODS, expected_s, is_measured
from tomobatch.reconstruct.model import GPUS, T4, expected_ms, find_gpu, least_ms, slice_s


def geometry_of(n_px: int, n_angles: int, **options: object):
    return make_geometry(np.arange(n_angles) * np.pi / n_angles, n_px, **options)


def test_direct_is_counted_by_hand() -> None:
    """2048 px, 1800 angles: 5.93 x 10^9 updates of 4 operations and 8 bytes of local memory."""
    updates = np.pi / 4 * 2048**2 * 1800
    least = least_ms(T4, geometry_of(2048, 1800), "direct")
    assert least["arithmetic"] == pytest.approx(4e3 * updates / 8.1e12, rel=0.01)
    assert least["local"] == pytest.approx(8e3 * updates / (128 * 40 * 1.59e9), rel=0.01)


@pytest.mark.parametrize("method", METHODS)
def test_a_sinogram_and_a_slice_cross_the_bus(method) -> None:
    least = least_ms(T4, geometry_of(1024, 1500), method)
    assert least["bus"] == pytest.approx(1e3 * 4 * (1500 * 1024 + 1024**2) / 12e9, rel=0.01)


@pytest.mark.parametrize("method", METHODS)
def test_a_larger_slice_and_a_smaller_gpu_take_longer(method) -> None:
    sizes = [geometry_of(512, 804), geometry_of(1024, 1500), geometry_of(2048, 1800)]
    for gpu in GPUS:
        times = [slice_s(gpu, geometry, method) for geometry in sizes]
        assert times == sorted(times)
        assert all(value > 0 for value in expected_ms(gpu, sizes[0], method).values())
    device = [expected_ms(gpu, sizes[-1], method)["device"] for gpu in (T4, GPUS[-1])]
    assert device[0] > 3 * device[1]


def test_no_expectation_is_below_the_makers_figures() -> None:
    geometry = geometry_of(1024, 1500)
    for gpu in GPUS:
        for method in METHODS:
            assert 1e3 * slice_s(gpu, geometry, method) >= max(
                least_ms(gpu, geometry, method).values()
            )


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Tesla T4", "T4"),
        ("NVIDIA A10G", "A10G"),
        ("NVIDIA L4", "L4"),
        ("NVIDIA H100 80GB HBM3", "H100"),
        ("gfx1100", "T4"),
    ],
)
def test_a_gpu_is_known_by_its_name(name, found) -> None:
    assert find_gpu(name).name == found


def test_the_model_stands_in_until_a_gpu_is_measured(monkeypatch) -> None:
    geometry = geometry_of(256, 200)
    assert not is_measured("gpu", "direct")
    assert expected_s("gpu", geometry, "direct") == slice_s(T4, geometry, "direct")
    row = {"direct": {"32": {"block": 32e9, "filter": 0.0, "update": 0.0}}}
    monkeypatch.setattr(methods, "_costs", lambda: {"T4": row})
    assert expected_s("gpu", geometry, "direct") == pytest.approx(1.0)
