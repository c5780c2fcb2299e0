"""Reconstruct slices from sinograms, in OpenCL."""

from tomobatch.reconstruct.slices import fbp

__all__ = ["fbp"]
