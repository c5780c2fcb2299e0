"""Scans as they come from the beamline, behind one interface."""

from tomobatch.scan.angle_check import (
    AngleCheck,
    AngleVerdict,
    EffectiveAngles,
    check_angles,
    effective_angles,
)
from tomobatch.scan.header import AngleSource, DatasetPaths, ImageKey, ScanHeader
from tomobatch.scan.inspection import Inspection, inspect, render
from tomobatch.scan.open import open_scan
from tomobatch.scan.parts import Scan

__all__ = [
    "AngleCheck",
    "AngleSource",
    "AngleVerdict",
    "DatasetPaths",
    "EffectiveAngles",
    "ImageKey",
    "Inspection",
    "Scan",
    "ScanHeader",
    "check_angles",
    "effective_angles",
    "inspect",
    "open_scan",
    "render",
]
