"""Scans as they come from the beamline, behind one interface."""

from tomobatch.scan.header import AngleSource, DatasetPaths, ImageKey, ScanHeader
from tomobatch.scan.open import open_scan
from tomobatch.scan.parts import Scan

__all__ = ["AngleSource", "DatasetPaths", "ImageKey", "Scan", "ScanHeader", "open_scan"]
