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


def tooth() -> tuple[np.ndarray, np.ndarray]:
    with h5py.File(REAL_SCAN) as file:
        exchange = file["exchange"]
        flat, dark = exchange["data_white"][:].mean(axis=0), exchange["data_dark"][:].mean(axis=0)
        transmission = (exchange["data"][:] - dark) / (flat - dark)
        theta = np.deg2rad(exchange["theta"][:])
    return -np.log(np.clip(transmission, 1e-3, None)).transpose(1, 0, 2).astype(np.float32), theta


@pytest.mark.parametrize("angles", ["as listed", "inclusive"])
def test_real_scan_needs_no_setting(angles):
    """295.5 px is what four independent methods of a peer agree on; 0.25 px costs no sharpness."""
    sinograms, theta = tooth()
    if angles == "inclusive":
        theta = np.linspace(0, np.pi, len(theta))
    evidence = gather_evidence(sinograms, theta, 0, EvidenceSettings(n_rows=2))
    found = calibrate([evidence], CalibrateSettings())
    assert found.cor_px(0.5) == pytest.approx(295.5, abs=0.25)
    assert found.check is not None
    assert found.check.agrees
    assert found.check.method in ("moments", "sharpness")
    assert (theta * found.angle_scale)[-1] == pytest.approx(np.pi)
