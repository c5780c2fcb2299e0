"""Columns that measured nothing are found, and nothing else is."""

import numpy as np
import pytest
from tests.stripes.known_stripes import SAMPLES, known_scan

from tomobatch.stripes.bridging import bridge, find_odd_columns


@pytest.mark.parametrize("kind", SAMPLES)
@pytest.mark.parametrize("stripes", ["none", "weak", "strong", "single"])
def test_working_columns_are_left_alone(kind, stripes) -> None:
    scan = known_scan(7, stripes, kind)
    found = sum(find_odd_columns(np.ascontiguousarray(row.T)).sum() for row in scan.measured)
    assert found == 0


@pytest.mark.parametrize("kind", SAMPLES)
def test_fluctuating_columns_are_found(kind) -> None:
    scan = known_scan(8, "dead", kind)
    for measured, clean in zip(scan.measured, scan.clean, strict=True):
        worst = np.abs(measured - clean).max(axis=0) > 0.5
        assert (find_odd_columns(np.ascontiguousarray(measured.T)) >= worst).all()


def test_bridge_is_a_line() -> None:
    columns = np.repeat(np.arange(9, dtype=np.float32)[:, None], 4, axis=1)
    broken = columns.copy()
    broken[3:6] = 99
    missing = np.zeros(9, bool)
    missing[3:6] = True
    assert bridge(broken, missing) == pytest.approx(columns)


def test_nothing_is_found_where_everything_differs() -> None:
    rng = np.random.default_rng(0)
    columns = (rng.normal(size=(80, 50)) * np.repeat([0.01, 1], 40)[:, None]).astype(np.float32)
    assert not find_odd_columns(columns).sum() >= 20
    assert not find_odd_columns(columns[:, :1]).any()


@pytest.mark.parametrize(("first", "stop"), [(0, 2), (7, 9)])
def test_at_the_ends_the_line_goes_on(first: int, stop: int) -> None:
    columns = np.repeat(np.arange(9, dtype=np.float32)[:, None], 4, axis=1)
    missing = np.zeros(9, bool)
    missing[first:stop] = True
    broken = np.where(missing[:, None], np.float32(99), columns)
    assert bridge(broken, missing) == pytest.approx(columns)


@pytest.mark.parametrize(("every", "found"), [(10, True), (3, False)])
def test_a_few_columns_are_odd_and_a_third_of_them_is_the_sample(every: int, found: bool) -> None:
    rng = np.random.default_rng(0)
    is_odd = np.arange(80) % every == every // 2
    columns = rng.normal(size=(80, 200)) * np.where(is_odd, 1.0, 0.01)[:, None]
    assert find_odd_columns(columns.astype(np.float32)).tolist() == (is_odd & found).tolist()
