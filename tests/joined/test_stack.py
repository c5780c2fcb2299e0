"""A stack of volumes cut from one known specimen is that specimen, whatever their overlap."""

import json
from itertools import pairwise

import numpy as np
import pytest
import zarr
from tests.cli.calling import tomobatch
from tests.joined.volumes import specimen, write_volume

from tomobatch.errors import UserError
from tomobatch.joined.between import LEAST_PX, at_fraction, find_fraction, moved
from tomobatch.joined.overlap import cells_of, find_overlap, find_shift, weights
from tomobatch.joined.stack import join_stack
from tomobatch.stores.grey_codes import GreyCodes

WHOLE = specimen(60, 48, seed=1)


def noisy(values, seed, sigma=0.05):
    return (values + np.random.default_rng(seed).normal(0, sigma, values.shape)).astype(np.float32)


@pytest.mark.parametrize("n", [3, 5, 12, 25])
@pytest.mark.parametrize("sigma", [0.0, 0.1])
def test_the_overlap_is_found(n, sigma):
    first, second = noisy(WHOLE[:35], 1, sigma), noisy(WHOLE[35 - n :], 2, sigma)
    found = find_overlap(cells_of(first), cells_of(second))
    assert found.n_slices == n
    assert found.likeness > (0.99 if sigma == 0 else 0.7)


@pytest.mark.parametrize(
    "second", [WHOLE[:20], specimen(30, 48, seed=7), WHOLE[40:][::-1]], ids=["order", "other", "up"]
)
def test_where_nothing_is_in_common_it_is_said(second):
    with pytest.raises(UserError, match="no slices at the end of the one"):
        find_overlap(cells_of(noisy(WHOLE[20:40], 1)), cells_of(noisy(second, 2)))


@pytest.mark.parametrize("shift", [(0, 0), (3, -2), (-5, 4)])
def test_a_shift_of_the_stage_is_found_and_undone(shift):
    second = np.roll(WHOLE, shift, axis=(1, 2))
    assert find_shift(noisy(WHOLE, 1), noisy(second, 2)) == shift
    inner = slice(6, -6)
    back = moved(second, shift)
    np.testing.assert_array_equal(back[:, inner, inner], WHOLE[:, inner, inner])


PARTS = [(0.0, 0.3, -0.4), (0.4, 0.0, 0.0), (-0.3, 0.5, 0.2)]


@pytest.mark.parametrize("parts", PARTS)
@pytest.mark.parametrize("sigma", [0.0, 0.05])
def test_a_part_of_a_pixel_is_found(parts, sigma):
    first, second = (
        noisy(specimen(24, 48, seed=1, shift=shift)[6:18], seed, sigma)
        for seed, shift in enumerate([(0, 0, 0), parts])
    )
    second = 0.9 * second + np.float32(0.5)
    np.testing.assert_allclose(find_fraction(first, second), parts, atol=0.02 if sigma else 0.01)


@pytest.mark.parametrize("parts", PARTS)
def test_a_stage_that_moves_by_parts_of_a_pixel_is_followed(tmp_path, parts):
    shift = np.add(parts, (0, 2, -3))
    second = specimen(60, 48, seed=1, shift=tuple(shift))[28:]
    volumes = [write_volume(tmp_path / "a", WHOLE[:40]), write_volume(tmp_path / "b", second)]
    (found,), _ = join_stack(volumes, tmp_path / "stack.ome.zarr")
    assert found.n_slices == 12
    np.testing.assert_allclose(found.shift_px, shift, atol=0.02)
    stack = zarr.open_array(tmp_path / "stack.ome.zarr/0", mode="r")[:]
    inner = np.s_[40:-1, 6:-6, 6:-6]
    whole_pixels = moved(second, tuple(np.round(shift[1:]).astype(int)))[12:]
    error = np.sqrt(np.mean((stack - WHOLE)[inner] ** 2))
    by_whole_pixels = np.sqrt(np.mean((whole_pixels - WHOLE[40:])[:-1, 6:-6, 6:-6] ** 2))
    assert error < 0.1 * by_whole_pixels


def test_what_is_outside_the_field_of_view_stays_zero():
    masked = np.where(np.hypot(*np.mgrid[-24:24, -24:24]) < 20, WHOLE + 1, 0)
    near = at_fraction(masked, (0.2, 0.4, -0.5))
    assert (near[masked == 0] == 0).all()
    assert at_fraction(masked, (0, 0, 0)) is masked
    assert LEAST_PX < 0.2


def test_the_share_of_the_next_volume_rises_evenly():
    share = weights(4)[:, 0, 0]
    np.testing.assert_allclose(share, [0.2, 0.4, 0.6, 0.8])


@pytest.mark.parametrize("cuts", [[(0, 35), (28, 60)], [(0, 24), (18, 44), (37, 60)]])
@pytest.mark.parametrize("chunk", [8, 5])
def test_a_stack_is_the_specimen(tmp_path, cuts, chunk):
    volumes = [
        write_volume(tmp_path / str(start), WHOLE[start:stop], chunk=chunk) for start, stop in cuts
    ]
    overlaps, remarks = join_stack(volumes, tmp_path / "stack.ome.zarr")
    assert [one.n_slices for one in overlaps] == [
        before[1] - after[0] for before, after in pairwise(cuts)
    ]
    assert remarks == []
    stack = zarr.open_array(tmp_path / "stack.ome.zarr/0", mode="r")[:]
    # A voxel in common is a + w (a - a) in float32.
    np.testing.assert_allclose(stack, WHOLE, rtol=1e-6)
    coarse = zarr.open_array(tmp_path / "stack.ome.zarr/1", mode="r")[:]
    if chunk == 8:
        expected = WHOLE.reshape(30, 2, 24, 2, 24, 2).mean(axis=(1, 3, 5))
        np.testing.assert_allclose(coarse, expected, rtol=1e-5)
    attributes = json.loads((tmp_path / "stack.ome.zarr/provenance/zarr.json").read_text())
    told = attributes["attributes"]["joined"]["stack"]
    assert [one["first_slice"] for one in told] == [start for start, _ in cuts]


def test_noise_is_averaged_where_two_volumes_see_the_same(tmp_path):
    parts = [noisy(WHOLE[:40], 1), noisy(WHOLE[20:], 2)]
    volumes = [write_volume(tmp_path / str(i), part) for i, part in enumerate(parts)]
    join_stack(volumes, tmp_path / "stack.ome.zarr")
    stack = zarr.open_array(tmp_path / "stack.ome.zarr/0", mode="r")[:]
    noise = (stack - WHOLE).std(axis=(1, 2))
    assert noise[:20].mean() == pytest.approx(0.05, rel=0.05)
    # Halfway over, two independent readings are averaged.
    assert noise[29:31].mean() == pytest.approx(0.05 / np.sqrt(2), rel=0.05)


def test_volumes_that_are_shifted_and_of_whole_numbers(tmp_path):
    second = np.roll(WHOLE[30:], (2, -3), axis=(1, 2))
    high = float(WHOLE.max())
    volumes = [
        write_volume(tmp_path / "a", WHOLE[:40], codes=GreyCodes("uint16", -1.0, high + 1)),
        write_volume(tmp_path / "b", second, codes=GreyCodes("uint16", -0.5, high + 2)),
    ]
    (found,), _ = join_stack(volumes, tmp_path / "stack.ome.zarr")
    assert found.n_slices == 10
    np.testing.assert_allclose(found.shift_px, (0, 2, -3), atol=0.01)
    stack = zarr.open_array(tmp_path / "stack.ome.zarr/0", mode="r")
    greys = stack[:] * stack.attrs["scale_factor"] + stack.attrs["add_offset"]
    inner = slice(4, -4)
    error = np.abs(greys - WHOLE)[:, inner, inner].max()
    # Half a step of its own, and half a step of the volume that it was made of.
    assert error <= 1.01 * stack.attrs["scale_factor"]


def test_greys_that_step_are_told_and_an_overlap_can_be_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_volume(tmp_path / "a", WHOLE[:40])
    write_volume(tmp_path / "b", WHOLE[30:] + np.float32(0.5))
    said = tomobatch("stack", "a", "b", "-o", "whole.ome.zarr")
    assert said.code == 0, said.err
    assert "a/volume.ome.zarr and b/volume.ome.zarr: 10 slices in common, alike by" in said.out
    assert "grey values step by 0.5" in said.err
    said = tomobatch("stack", "a", "b", "-o", "given.ome.zarr", "--overlap", "7")
    assert "7 slices in common; shifted by" in said.out
    assert zarr.open_array("given.ome.zarr/0", mode="r").shape == (63, 48, 48)
    said = tomobatch("stack", "b", "a", "-o", "wrong.ome.zarr")
    assert said.code == 1
    assert "in the order of the axis" in said.err
    assert not (tmp_path / "wrong.ome.zarr").exists()
