"""The answer that a demo scan carries with it, to be shown beside what is found."""

import json
from dataclasses import dataclass
from typing import Any

TRUTH_GROUP = "/tomobatch_truth"
"""Where it lies in an HDF5 file; its attribute ``truth`` is JSON."""


@dataclass(frozen=True)
class KnownAxis:
    """Where the rotation axis of a scan truly is.

    Attributes
    ----------
    cor_px
        Centre of rotation in the middle row; pixel centres at whole numbers, the first at 0.
    tilt_deg
        Angle from the detector's columns to the axis.
    """

    cor_px: float
    tilt_deg: float


def read_known_axis(file: Any) -> KnownAxis | None:  # noqa: ANN401  h5py has no types
    """Read the axis from an open HDF5 file; None if it does not know."""
    group = file.get(TRUTH_GROUP)
    if group is None:
        return None
    facts = json.loads(group.attrs["truth"])
    return KnownAxis(facts["cor_px"], facts["tilt_deg"])
