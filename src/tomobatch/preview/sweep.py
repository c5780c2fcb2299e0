"""Settings to choose among by eye: what the user sweeps, and all its combinations."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from tomobatch.errors import UserError

SHORT = {
    "cor": "calibrate.cor_px",
    "stripes": "stripes.method",
    "filter": "reconstruct.filter",
    "delta_beta": "phase.delta_beta",
}
"""Short names of the settings that are swept most."""

SECTIONS = ("normalise", "tube", "phase", "stripes", "calibrate", "reconstruct")
"""Those whose settings a slice shows."""

MOST_VARIANTS = 64

Changes = dict[str, Any]
"""Settings by their key in the configuration, as ``calibrate.cor_px``."""


@dataclass(frozen=True)
class Sweep:
    """One setting and the values to try."""

    key: str
    values: tuple[Any, ...]


def read_sweep(text: str) -> Sweep:
    """Read ``cor=1020:1030:0.5`` or ``stripes=none,all``.

    Raises
    ------
    UserError
        For what is neither, or a setting that no slice shows.
    """
    name, equals, values = text.partition("=")
    name = name.strip()
    if not equals or not values.strip():
        raise UserError(f"--sweep {text}: write it as NAME=FIRST:LAST:STEP or NAME=VALUE,VALUE")
    key = SHORT.get(name, name)
    section, dot, _ = key.partition(".")
    if not dot or section not in SECTIONS:
        raise UserError(
            f"--sweep {text}: {name} is none of {', '.join(SHORT)}, nor a key of the sections"
            f" {', '.join(SECTIONS)}, as stripes.snr"
        )
    return Sweep(key, _range(text, values) if ":" in values else _list(values))


def combinations(sweeps: Sequence[Sweep]) -> list[Changes]:
    """Return every combination of the values, the last sweep's running fastest.

    Raises
    ------
    UserError
        For more than a page can show, or a setting that is swept twice.
    """
    keys = [sweep.key for sweep in sweeps]
    if len(set(keys)) < len(keys):
        raise UserError(f"--sweep: {max(keys, key=keys.count)} is swept twice; give it one list")
    count = math.prod(len(sweep.values) for sweep in sweeps)
    if count > MOST_VARIANTS:
        raise UserError(
            f"--sweep: {count} combinations are more than a page shows ({MOST_VARIANTS});"
            " take larger steps"
        )
    if not sweeps:
        return []
    products = itertools.product(*(sweep.values for sweep in sweeps))
    return [dict(zip(keys, values, strict=True)) for values in products]


def with_implied(changes: Changes, settings: Mapping[str, Any]) -> Changes:
    """Return changes with those that they ask for: a delta_beta without a method means Paganin's.

    ``settings`` are the scan's own, section by section.
    """
    phase = settings.get("phase") or {}
    if "phase.delta_beta" not in changes:
        return changes
    implied: Changes = {}
    if changes.get("phase.method", phase.get("method", "none")) == "none":
        implied["phase.method"] = "paganin"
    if phase.get("material") is not None:
        implied["phase.material"] = None
    return {**changes, **implied}


def _range(text: str, values: str) -> tuple[float, ...]:
    try:
        first, last, step = (float(part) for part in values.split(":"))
    except ValueError:
        raise UserError(f"--sweep {text}: a range is FIRST:LAST:STEP, as 1020:1030:0.5") from None
    if not (step > 0 and last >= first and math.isfinite(last)):
        raise UserError(f"--sweep {text}: a range rises from FIRST to LAST by a STEP above 0")
    count = math.floor((last - first) / step * (1 + 1e-9)) + 1
    # As many decimals as were written: steps of a tenth add up to tenths.
    return tuple(float(f"{first + i * step:.12g}") for i in range(min(count, MOST_VARIANTS + 1)))


def _list(values: str) -> tuple[Any, ...]:
    given = [yaml.safe_load(value) for value in values.split(",")]
    return tuple(value for i, value in enumerate(given) if value not in given[:i])
