"""Reconstruct slices from a circular cone-beam scan, in OpenCL (Feldkamp, Davis and Kress 1984)."""

from tomobatch.reconstruct.cone.volume import fdk

__all__ = ["fdk"]
