"""The calibration against sinograms with exact line integrals, noise, stripes and drift."""

from __future__ import annotations

import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from tomobatch.calibrate import (
    CalibrateSettings,
    EvidenceSettings,
    calibrate,
    gather_evidence,
)

REAL_SCAN = Path(
    os.environ.get(
        "TOMOBATCH_REAL_SCAN", Path(__file__).parents[2] / ".." / "shared" / "data" / "tooth.h5"
    )
)


def test_real_scan_needs_no_setting():
    """295.5 px is what four independent methods of a peer agree on; 0.25 px costs no sharpness."""
    with h5py.File(REAL_SCAN) as file:
        exchange = file["exchange"]
        flat, dark = exchange["data_white"][:].mean(axis=0), exchange["data_dark"][:].mean(axis=0)
        transmission = (exchange["data"][:] - dark) / (flat - dark)
    sinograms = -np.log(np.clip(transmission, 1e-3, None)).transpose(1, 0, 2).astype(np.float32)
    # The scan reader's part: the last projection is the first one mirrored, whatever the file says.
    angles_rad = np.linspace(0, np.pi, sinograms.shape[1])
    evidence = gather_evidence(sinograms, angles_rad, 0, EvidenceSettings(n_rows=2))
    found = calibrate([evidence], CalibrateSettings())
    assert found.cor_px(0.5) == pytest.approx(295.5, abs=0.25)
    assert found.check is not None
    assert found.check.agrees
    assert found.check.method in ("moments", "negativity")
