"""What is said of a centre of rotation that is given for pictures that are cropped or binned."""

import pytest

from tomobatch.calibrate.given import told_of_given
from tomobatch.calibrate.line import Line
from tomobatch.columns import DETECTOR, Columns

BINNED = Columns(first=(100 + 0.5) / 2, binning=2)
"""From column 100, by 2."""


def line(mid_px):
    return Line(0.0, mid_px, 0.1, 0.0, None)


@pytest.mark.parametrize("column", [0.0, 12.25, 500.0])
def test_a_column_is_one_of_the_detector_and_back(column):
    assert BINNED.on_detector(0.0) == 100.5
    assert BINNED.of_detector(BINNED.on_detector(column)) == pytest.approx(column)


def test_nothing_is_said_where_columns_are_the_detectors_or_none_is_given():
    assert list(told_of_given(500.0, line(300.0), DETECTOR)) == []
    assert list(told_of_given(None, line(300.0), BINNED)) == []


@pytest.mark.parametrize("found", [None, line(250.4), line(400.0)])
def test_the_column_of_the_detector_is_said(found):
    (told,) = told_of_given(250.0, found, BINNED)
    assert told.endswith("is column 600.5 of the detector")


def test_a_centre_that_was_read_off_the_detector_is_told():
    (told,) = told_of_given(600.5, line(250.3), BINNED)
    assert "is column 1301.5 of the detector; the scan shows its axis at 250.30" in told
    assert told.endswith("column 600.5 of the detector is 250.00: give that, if it was meant")
