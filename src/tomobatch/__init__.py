"""Reconstruct X-ray tomography scans, on a laptop or on AWS Batch array jobs."""

__version__ = "0.1.0"
