"""What an earlier run of a scan found, where its settings are those of now."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tomobatch.calibrate.calibration import Calibration
from tomobatch.results import ALIGNMENT, CALIBRATION, STRIPES
from tomobatch.shifts import Shifts
from tomobatch.stores.finished import read_made_with
from tomobatch.stripes.choice import StripeChoice

NOT_ALIGNED = (
    "these slices are not aligned, as that takes rows of the whole scan: `tomobatch run` aligns"
    " them, and a preview after it"
)
NOT_ITERATED = (
    "slices of a cone beam are shown by FDK here, as iterations take the whole volume at once"
)
_OF_STRIPES = ("path", "datasets", "normalise", "tube", "phase", "stripes")
_OF_SHIFTS = (*_OF_STRIPES, "align")
_OF_CALIBRATION = (*_OF_SHIFTS, "calibrate", "reconstruct.half_acquisition")


@dataclass(frozen=True)
class Known:
    """What the finished results of a scan hold; None for what other settings would change."""

    stripes: StripeChoice | None = None
    calibration: Calibration | None = None
    shifts: Shifts | None = None


def read_known(results: Path, settings: Mapping[str, Any]) -> Known:
    """Read what a run found.

    Parameters
    ----------
    results
        The folder of the scan's results, which need not be there.
    settings
        The scan's of now, section by section.
    """
    made_with = read_made_with(str(results))
    if made_with is None or made_with.settings is None:
        return Known()
    then = made_with.settings

    def same(keys: tuple[str, ...]) -> bool:
        return all(_get(then, key) == _get(settings, key) for key in keys)

    stripes = calibration = shifts = None
    if same(_OF_STRIPES):
        stripes = StripeChoice.from_json(_read(results / STRIPES))
    if same(_OF_SHIFTS) and (results / ALIGNMENT).is_file():
        shifts = Shifts.from_json(_read(results / ALIGNMENT))
    if same(_OF_CALIBRATION):
        calibration = Calibration.from_json(_read(results / CALIBRATION))
    return Known(stripes, calibration, shifts)


def _get(settings: Mapping[str, Any], key: str) -> str:
    value: Any = settings
    for part in key.split("."):
        value = value[part] if isinstance(value, Mapping) and part in value else None
    return json.dumps(value)


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8")
