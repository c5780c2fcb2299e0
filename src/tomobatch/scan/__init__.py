"""Scans as they come from the beamline, behind one interface."""
