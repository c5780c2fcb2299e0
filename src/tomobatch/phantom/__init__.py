"""Scans with known truth: analytic solids, an imperfect detector, and the file that keeps both."""

from tomobatch.phantom.project import line_integrals, phantom_volume
from tomobatch.phantom.solids import Shape, Solid, sphere
from tomobatch.phantom.specimen import UniformSphere
from tomobatch.phantom.truth import Truth, read_truth
from tomobatch.phantom.write import write_phantom

__all__ = [
    "Shape",
    "Solid",
    "Truth",
    "UniformSphere",
    "line_integrals",
    "phantom_volume",
    "read_truth",
    "sphere",
    "write_phantom",
]
