"""Calibration: the axis and the grey window of a scan, from the evidence of all its chunks."""
