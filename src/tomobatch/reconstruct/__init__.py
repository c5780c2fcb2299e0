"""Reconstruct slices from sinograms, in OpenCL."""
