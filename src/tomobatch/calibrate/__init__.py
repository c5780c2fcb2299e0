"""Calibration: the axis and the grey window of a scan, from the evidence of all its chunks."""

from tomobatch.calibrate.calibration import CalibrateSettings, Calibration, calibrate
from tomobatch.calibrate.evidence import Evidence, EvidenceSettings, gather_evidence

__all__ = [
    "CalibrateSettings",
    "Calibration",
    "Evidence",
    "EvidenceSettings",
    "calibrate",
    "gather_evidence",
]
