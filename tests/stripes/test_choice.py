"""The method that is chosen is the one that does best, by errors that only the test knows."""

import numpy as np
import pytest
from tests.stripes.known_stripes import SAMPLES, STRIPES, KnownScan, known_scan

from tomobatch.reconstruct.slices import fbp
from tomobatch.stripes.choice import NO_RINGS, StripeChoice, choose_removal
from tomobatch.stripes.removal import METHODS, remove_stripes
from tomobatch.stripes.rings import ring_figure
from tomobatch.stripes.rows import rows_to_look_at
from tomobatch.stripes.settings import StripeSettings

# Twenty scans, every kind of stripes two or three times, on every kind of sample.
SCANS = [(seed, STRIPES[seed % 8], SAMPLES[(seed // 2 + seed) % 4]) for seed in range(100, 120)]
# Of two methods whose errors differ by less, either is the best.
TIE = 1.1
# What removal may change of a scan without stripes, as a share of the slice's rms.
NO_HARM = 0.01


def choice_for(scan: KnownScan, method: str = "auto") -> StripeChoice:
    cor_px = (scan.measured.shape[2] - 1) / 2
    rows = ((i, row, cor_px) for i, row in enumerate(scan.measured))
    return choose_removal(
        rows,
        StripeSettings(method=method),
        lambda cor_px: lambda sinograms: fbp(sinograms, scan.angles_rad, cor_px, device="cpu"),
    )


def removed(scan: KnownScan, method: str, bridges_odd_columns: bool = False) -> np.ndarray:
    settings = StripeSettings(method=method)
    return remove_stripes(scan.measured, settings, bridges_odd_columns=bridges_odd_columns)


def true_error(scan: KnownScan, truth: np.ndarray, sinograms: np.ndarray) -> float:
    """Return the rms difference to the slices without stripes, over their rms."""
    found = fbp(sinograms, scan.angles_rad, device="cpu")
    return float(np.sqrt(np.mean((found - truth) ** 2) / np.mean(truth**2)))


def outcome(seed: int, stripes: str, sample: str) -> tuple[StripeChoice, float, float]:
    """Return the choice, its true error, and the least error of all methods."""
    scan = known_scan(seed, stripes, sample)
    truth = fbp(scan.clean, scan.angles_rad, device="cpu")
    choice = choice_for(scan)
    own = true_error(scan, truth, removed(scan, choice.method, choice.bridges_odd_columns))
    errors = [true_error(scan, truth, removed(scan, method)) for method in METHODS]
    return choice, own, min(errors)


@pytest.fixture(scope="module")
def outcomes() -> dict[tuple[int, str, str], tuple[StripeChoice, float, float]]:
    return {scan: outcome(*scan) for scan in SCANS}


def test_best_method_is_chosen(outcomes) -> None:
    missed = {
        scan: (choice.method, round(own, 4), round(best, 4))
        for scan, (choice, own, best) in outcomes.items()
        if own > max(TIE * best, NO_HARM)
    }
    assert len(missed) <= 2, missed


def test_no_harm_without_stripes(outcomes) -> None:
    for (_, stripes, _), (choice, own, _) in outcomes.items():
        if stripes == "none":
            assert own < NO_HARM, choice


def test_figure_falls_where_there_were_rings(outcomes) -> None:
    for (_, stripes, _), (choice, _, _) in outcomes.items():
        assert choice.figure_after <= choice.figure_before + 0.03
        if stripes in ("strong", "wide", "single"):
            assert choice.figure_before > 2 * NO_RINGS
            assert choice.figure_after < choice.figure_before


def test_a_method_asked_for_is_kept_and_measured() -> None:
    scan = known_scan(1, "strong", "slabs")
    choice = choice_for(scan, "sorting")
    assert (choice.method, choice.asked, choice.bridges_odd_columns) == (
        "sorting",
        "sorting",
        False,
    )
    assert 0 < choice.figure_after < choice.figure_before
    assert choice.errors == {}


def test_dead_columns_are_counted_and_bridged() -> None:
    choice = choice_for(known_scan(3, "dead", "mixed"))
    assert choice.bridges_odd_columns
    assert choice.n_odd_columns >= 2


def test_empty_and_narrow_rows_say_nothing() -> None:
    angles = np.arange(30) * np.pi / 30
    empty = KnownScan(np.zeros((2, 30, 64), np.float32), np.zeros((2, 30, 64), np.float32), angles)
    narrow = np.random.default_rng(0).normal(size=(2, 30, 20)).astype(np.float32)
    for scan in (empty, KnownScan(narrow, narrow, angles)):
        choice = choice_for(scan)
        assert (choice.method, choice.figure_before, choice.rows) == ("none", None, ())


def test_choice_survives_its_file() -> None:
    choice = StripeChoice("filtering", "auto", True, 3, 0.2, 0.1, {"none": 0.3}, (1, 5))
    assert StripeChoice.from_json(choice.to_json()) == choice


@pytest.mark.parametrize(
    ("n_rows", "expected"), [(1, [0]), (3, [0, 1, 2]), (16, list(range(1, 16, 2)))]
)
def test_rows_are_spread_over_the_height(n_rows, expected) -> None:
    assert rows_to_look_at(n_rows) == expected


def test_the_row_with_the_most_dead_columns_is_told_of() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(1, 0.1, (2, 40, 64)).astype(np.float32)
    rows[1][:, [20, 41]] = 0.5
    choice = choose_removal(
        ((i, row, 31.5) for i, row in enumerate(rows)),
        StripeSettings(method="none"),
        lambda cor_px: lambda sinograms: np.zeros((len(sinograms), 64, 64), np.float32),
    )
    assert choice.n_odd_columns == 2


def test_the_ring_figure_does_not_know_where_directions_begin() -> None:
    """Arcs over the first direction count as they do over any other."""
    y, x = np.mgrid[:128, :128] - 63.5
    arcs = np.where(np.abs(np.arctan2(y, x)) < 0.25, np.sin(np.hypot(y, x)), 0.0)
    image = (arcs + np.random.default_rng(1).normal(0, 0.1, arcs.shape)).astype(np.float32)
    assert ring_figure(image) == pytest.approx(ring_figure(np.rot90(image).copy()), abs=1e-3)
