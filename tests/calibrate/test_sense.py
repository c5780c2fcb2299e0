"""Angles that count the wrong way are told from opposite rays."""

from dataclasses import replace

import numpy as np
import pytest
from tests.calibrate.test_fan import BEAM, N_COLS, N_ROWS, take

from tomobatch.calibrate.calibration import calibrate
from tomobatch.calibrate.evidence import EvidenceSettings, gather_evidence
from tomobatch.calibrate.sense import mismatches, sense_doubts
from tomobatch.calibrate.settings import CalibrateSettings
from tomobatch.phantom.specimen import bead_pack


@pytest.mark.parametrize("sense", [1, -1])
@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_the_wrong_sense_is_told_and_the_right_one_is_not(sense, noise):
    rng = np.random.default_rng(5)
    true = replace(BEAM, axis_shift_px=2.0, shift_v_px=3.0, sense=sense)
    angles = np.arange(150) * 2 * np.pi / 150
    sinograms = take(bead_pack(round(0.75 * N_COLS), N_ROWS, rng).solids[:60], true, angles)
    sinograms += rng.normal(0, noise, sinograms.shape).astype(np.float32)
    for believed in (1, -1):
        stated = replace(true, axis_shift_px=0.0, sense=believed)
        settings = EvidenceSettings(n_rows=N_ROWS, beam=stated)
        found = calibrate([gather_evidence(sinograms, angles, 0, settings)], CalibrateSettings())
        told = [one for one in found.warnings if "count the other way" in one]
        assert len(told) == (believed != sense)


def test_a_short_scan_and_a_round_sample_tell_nothing():
    short = np.linspace(0, np.pi + 0.5, 60)
    row = np.random.default_rng(0).random((60, 40)).astype(np.float32)
    assert mismatches(row, short, 300.0, 19.5, 19.5) is None
    assert sense_doubts([None]) == []
    even = np.tile(np.hanning(40).astype(np.float32), (60, 1))
    around = np.arange(60) * 2 * np.pi / 60
    assert sense_doubts([mismatches(even, around, 300.0, 19.5, 19.5)]) == []
