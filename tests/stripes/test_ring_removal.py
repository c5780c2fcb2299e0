"""Rings taken off finished slices: of planted ones, of none, of parts of slices."""

import numpy as np
import pytest
from tests.in_process import reconstruct

from tomobatch.phantom.write import write_phantom
from tomobatch.scan.open import open_scan
from tomobatch.stripes.ring_removal import Polar, remove_rings

N = 160


def polar(n_arcs=1, first_rad=0.0, shape=(N, N), middle_px=((N - 1) / 2,) * 2):
    return Polar(shape, middle_px, N / 2, n_arcs, first_rad)


def sample(seed=0):
    """A slice of balls with noise, of values about 1."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:N, :N]
    image = rng.normal(0, 0.02, (N, N))
    for _ in range(40):
        radius, turn, size = 70 * np.sqrt(rng.random()), rng.random() * 7, 3 + 8 * rng.random()
        at = N / 2 + radius * np.array([np.sin(turn), np.cos(turn)])
        image += np.clip(size - np.hypot(y - at[0], x - at[1]), 0, 1)
    return image.astype(np.float32)


def rings(n_arcs, first_rad=0.0, middle_px=((N - 1) / 2,) * 2):
    """Rings of 1 to 3 px, of all signs, other ones on every arc."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:N, :N]
    radius = np.hypot(y - middle_px[0], x - middle_px[1])
    turned = (np.arctan2(y - middle_px[0], x - middle_px[1]) - first_rad) % (2 * np.pi)
    image = np.zeros((N, N), np.float32)
    for arc in range(n_arcs):
        inside = turned // (2 * np.pi / n_arcs) == arc
        for at in rng.choice(np.arange(3, 78), 18, replace=False):
            ring = rng.normal(0, 0.3) * np.exp(-(((radius - at) / rng.uniform(0.5, 1)) ** 2))
            image += np.where(inside, ring, 0).astype(np.float32)
    return image


def rms(values):
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


@pytest.mark.parametrize(("n_arcs", "first_rad"), [(1, 0.0), (2, 0.0), (2, 2.5)])
def test_planted_rings_are_lowered(n_arcs, first_rad):
    truth, planted = sample(), rings(n_arcs, first_rad)
    slices = np.stack([truth + planted, truth + 2 * planted])
    taken = remove_rings(slices, polar(n_arcs, first_rad))
    for one, strength in zip(slices, (1, 2), strict=True):
        assert rms(one - truth) < 0.4 * strength * rms(planted)
    assert taken == pytest.approx(5 * np.sum(planted**2, dtype=np.float64), rel=0.3)


def test_without_rings_little_is_taken():
    slices = np.stack([sample(seed) for seed in range(4)])
    before = slices.copy()
    remove_rings(slices, polar(2))
    # A few percent of the contrast: what balls happen to have in common all along an arc.
    assert rms(slices - before) < 0.04 * before.std()
    noise = np.random.default_rng(0).normal(size=(1, N, N)).astype(np.float32)
    before = noise.copy()
    remove_rings(noise, polar(2))
    assert rms(noise - before) < 0.04 * before.std()


def test_a_part_of_a_slice_loses_the_rings_of_the_whole():
    truth, planted = sample(), rings(1)
    whole = (truth + planted)[None].copy()
    remove_rings(whole, polar())
    place = np.s_[10:150, 4:120]
    middle = ((N - 1) / 2 - 10, (N - 1) / 2 - 4)
    part = (truth + planted)[place][None].copy()
    remove_rings(part, polar(shape=(140, 116), middle_px=middle))
    assert rms(part[0] - truth[place]) < 0.5 * rms(planted[place])
    # An axis outside of the part: arcs too short to tell rings are left alone.
    corner = (truth + planted)[100:140, 100:150][None].copy()
    before = corner.copy()
    remove_rings(corner, polar(shape=(40, 50), middle_px=(N / 2 - 100, N / 2 - 100)))
    np.testing.assert_array_equal(corner, before)


def test_a_run_says_what_it_took_and_its_rings_are_fewer(tmp_path):
    path = tmp_path / "scan.h5"
    write_phantom(path, size=96, n_rows=8, n_angles=140, n_flats=4, n_darks=4, angle_range_deg=180)
    with open_scan(path) as scan:
        known = scan.header.known_axis
    axis = {"cor_px": known.cor_px, "tilt_deg": known.tilt_deg}
    sections = {"calibrate": axis, "stripes": {"method": "none"}}
    roi = {"roi_px": [10, 6, 70, 80], "binning": 2}
    plain = reconstruct(tmp_path / "plain", path, {**sections, "reconstruct": roi})
    run = reconstruct(
        tmp_path / "run", path, {**sections, "reconstruct": {**roi, "remove_rings": True}}
    )
    (told,) = [line for line in run.warnings if "reconstruct.remove_rings" in line]
    assert "of the contrast of the first chunk: whatever is concentric" in told
    # Written in the volume's orientation, and by pixels that are averaged from 2 x 2.
    taken = (plain.volume - run.volume) if not run.plan.orientation.flips_rows else None
    assert taken is not None
    middle = ((96 - 2) / 2 - 6) / 2, ((96 - 2) / 2 - 10) / 2
    y, x = np.mgrid[:40, :35]
    radius = np.hypot(y - middle[0], x - middle[1])
    assert rms(taken) > 0
    # What was taken is the same all along half a circle about the axis.
    angle = np.arctan2(y - middle[0], x - middle[1])
    half = (angle > 0.1) & (angle < np.pi - 0.1) & (radius < 16)
    order = np.argsort(radius[half])
    along = taken[0][half][order]
    assert rms(np.diff(along)) < rms(along)
