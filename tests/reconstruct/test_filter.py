"""The ramp and what is folded into it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tomobatch.errors import UserError
from tomobatch.reconstruct.filter import (
    FILTERS,
    binning_response,
    fill_padding,
    finer_response,
    frequency_response,
    overlap_weights,
    padded_length,
    ramp_kernel,
    shift_phases,
    window,
)
from tomobatch.reconstruct.geometry import make_geometry
from tomobatch.reconstruct.rows import RowFilter


def test_ramp_has_the_samples_of_kak_and_slaney() -> None:
    kernel = ramp_kernel(16)
    assert kernel[[0, 1, 2, 3]] == pytest.approx([1 / 4, -1 / np.pi**2, 0, -1 / (9 * np.pi**2)])
    assert kernel[1:] == pytest.approx(kernel[:0:-1])


def test_ramp_takes_the_mean_away_as_its_length_grows() -> None:
    means = [frequency_response(n)[0] for n in (64, 256, 1024)]
    assert means == pytest.approx([2 / np.pi**2 / n for n in (64, 256, 1024)], rel=0.01)


@pytest.mark.parametrize("name", FILTERS)
def test_windows_keep_low_and_damp_high_frequencies(name) -> None:
    values = window(np.linspace(0, 0.5, 65), name)
    assert values[0] == 1
    assert (np.diff(values) <= 0).all()
    at_end = {"ramp": 1, "shepp-logan": 2 / np.pi, "cosine": 0, "hamming": 0.08, "hann": 0}
    assert values[-1] == pytest.approx(at_end[name], abs=1e-12)


def test_unknown_filter_is_refused() -> None:
    with pytest.raises(UserError, match="'ram-lak' is not one of ramp"):
        frequency_response(8, "ram-lak")


def test_shift_moves_a_row_to_the_right() -> None:
    row = np.random.default_rng(0).normal(size=33)
    moved = np.fft.irfft(np.fft.rfft(row) * shift_phases(33, 3)[:, 0], n=33)
    assert moved == pytest.approx(np.roll(row, 3))


@given(st.floats(0, 99))
def test_overlap_weights_of_opposite_rays_sum_to_one(cor_px) -> None:
    columns = np.arange(100)
    weights = overlap_weights(100, cor_px)[0]
    opposite = np.interp(2 * cor_px - columns, columns, weights, left=0, right=0)
    # Linear interpolation of a sine step over at least 1 px.
    tolerance = 0.5 if min(cor_px, 99 - cor_px) < 1 else np.pi**2 / 32 / min(cor_px, 99 - cor_px)
    inside = abs(columns - cor_px) < min(cor_px, 99 - cor_px) - 1
    assert weights[inside] + opposite[inside] == pytest.approx(1, abs=tolerance)
    assert weights.min() >= 0
    assert weights.max() <= 1


def test_binning_averages_along_the_axis_of_a_projection() -> None:
    row = np.random.default_rng(0).normal(size=64)
    spectrum = np.fft.rfft(row) * binning_response(64, np.array([0.0]), 3)[0]
    mean = (np.roll(row, 1) + row + np.roll(row, -1)) / 3
    assert np.fft.irfft(spectrum, n=64) == pytest.approx(mean)


@pytest.mark.parametrize("n_cols", [16, 17])
def test_dirac_sinogram_returns_the_filter(n_cols) -> None:
    geometry = make_geometry([0.0], n_cols)
    rows = RowFilter(geometry, 2, padding="zero")
    sinogram = np.zeros((1, 1, n_cols), dtype=np.float32)
    sinogram[0, 0, 5] = 1
    out = np.empty((1, rows.n_samples, 1), dtype=np.float32)
    rows(sinogram, np.array([(n_cols - 1) / 2]), out)
    position = round(rows.axis - (n_cols - 1)) + 2 * 5
    found = out[0, position : position + 16, 0] / np.pi  # pi is the weight of the one angle
    kernel = np.fft.irfft(finer_response(rows.length), n=2 * rows.length)
    assert found == pytest.approx(kernel[:16], abs=1e-6)


def test_linear_interpolation_leaves_every_frequency_its_amplitude() -> None:
    """Interpolated at all places between the samples, a wave of a column has the ramp's height."""
    length = 64
    response, finer = frequency_response(length), finer_response(length)
    places = np.arange(0, 2 * length, 1 / 8)
    for k in (1, 9, 24, 31):
        row = np.fft.irfft(finer * (np.arange(33) == k), n=2 * length)
        fine = np.interp(places, np.arange(2 * length), row, period=2 * length)
        wave = np.exp(-2j * np.pi * k * places / (2 * length))
        assert length * np.mean(fine * wave) == pytest.approx(response[k], rel=0.01)


def test_at_the_columns_finer_rows_are_the_filtered_rows() -> None:
    """The highest frequency among them, which a transform of twice the length meets twice."""
    row = np.random.default_rng(0).normal(size=64) + 5 * (-1.0) ** np.arange(64)
    frequency = np.arange(33) / 64
    spectrum = np.fft.rfft(row)
    finer = np.fft.irfft(spectrum * finer_response(64), n=128)[::2]
    undamped = frequency_response(64) / np.sinc(frequency / 2) ** 2
    assert finer == pytest.approx(np.fft.irfft(spectrum * undamped, n=64))


def test_padding_is_as_long_on_both_sides() -> None:
    rows = np.zeros((2, 16), np.float32)
    rows[:, :6] = np.arange(1, 7)
    fill_padding(rows, 6, "edge", axis=1)
    assert rows[0].tolist() == [*range(1, 7), *[6] * 5, *[1] * 5]
    fill_padding(rows, 6, "zero", axis=1)
    assert rows[1].tolist() == [*range(1, 7), *[0] * 10]


def test_rows_of_merged_halves_are_kept_apart_by_their_whole_width() -> None:
    turn = np.arange(64) * 2 * np.pi / 64
    merged = make_geometry(turn, 100, half_acquisition=True, cor_px=5.0)
    assert padded_length(merged) >= 2 * (100 + merged.reach_px)
