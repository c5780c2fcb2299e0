"""The angles of a scan as every later step uses them, in one JSON file."""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tomobatch.stores.files import write_json


def save_angles(path: Path, angles_rad: npt.NDArray[np.float64], reason: str) -> None:
    """Write the angles, in radians, and one line that says where they come from."""
    write_json(path, {"reason": reason, "angles_rad": [float(angle) for angle in angles_rad]})


def load_angles(path: Path) -> npt.NDArray[np.float64]:
    """Read the angles in radians, float64 (angle,)."""
    return np.array(json.loads(path.read_text(encoding="utf-8"))["angles_rad"], np.float64)
