"""Step 1: raw counts to line integrals, by flats and darks."""

from tomobatch.normalise.normalise import Normalised, normalise
from tomobatch.normalise.references import References, average_references
from tomobatch.normalise.series import ReferenceSeries
from tomobatch.normalise.settings import NormaliseSettings

__all__ = [
    "NormaliseSettings",
    "Normalised",
    "ReferenceSeries",
    "References",
    "average_references",
    "normalise",
]
