"""What finished results were made with, so that a run replaces none of another kind unasked.

Decision 110.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tomobatch import __version__
from tomobatch.results import CALIBRATION, RECORDS, REPORT, SETTINGS
from tomobatch.stores.anywhere import file_exists, read_file, write_file

_NO_MATTER = ("chunks", "reconstruct.device")
"""Settings by which a volume is computed, and which it does not show."""

_MOST_TOLD = 3


@dataclass(frozen=True)
class MadeWith:
    """What made the results of a scan.

    Attributes
    ----------
    version
        Of tomobatch.
    settings
        The sections of the scan's configuration; None where an earlier version wrote none down.
    """

    version: str
    settings: Mapping[str, Any] | None

    def differences(self, settings: Mapping[str, Any]) -> list[str]:
        """Say what other settings would change in a result, a key each."""
        if self.settings is None:
            return []
        old, new = (dict(_flat(each)) for each in (self.settings, settings))
        return [
            f"{key}: {json.dumps(old.get(key))} then, {json.dumps(new.get(key))} now"
            for key in sorted(old.keys() | new.keys())
            if not _same(old.get(key), new.get(key)) and not key.startswith(_NO_MATTER)
        ]


def note_settings(results: str, settings: Mapping[str, Any]) -> None:
    """Write down beside the results of a scan what makes them.

    Parameters
    ----------
    results
        The folder of the scan's results, or its s3:// address.
    settings
        The sections of the scan's configuration, as plain JSON values.
    """
    made_with = {"version": __version__, "settings": settings}
    write_file(f"{results}/{SETTINGS}", json.dumps(made_with, indent=1).encode())


def read_made_with(results: str) -> MadeWith | None:
    """Read what made the finished results of a scan; None where none are finished."""
    if not file_exists(f"{results}/{REPORT}"):
        return None
    try:
        made_with = json.loads(read_file(f"{results}/{SETTINGS}"))
        return MadeWith(made_with["version"], made_with["settings"])
    except FileNotFoundError:
        return MadeWith(_version_of_records(results), None)


def why_not_replace(results: str, settings: Mapping[str, Any]) -> str | None:
    """Say why finished results are not to be made anew unasked; None where they may be.

    Those of the same settings and version may: what is made is what was there.
    """
    made_with = read_made_with(results)
    if made_with is None:
        return None
    changed = made_with.differences(settings)
    if changed:
        more = f", and {len(changed) - _MOST_TOLD} more" if len(changed) > _MOST_TOLD else ""
        told = "; ".join(changed[:_MOST_TOLD]) + more
        return f"{results} is finished, with other settings ({told})"
    if made_with.version != __version__:
        return f"{results} is finished, by tomobatch {made_with.version} (this is {__version__})"
    return None


def _version_of_records(results: str) -> str:
    """Return which version wrote the records; the first one wrote no settings."""
    for record in (f"{RECORDS}/calibrate.json", CALIBRATION):
        try:
            version = json.loads(read_file(f"{results}/{record}")).get("version")
        except FileNotFoundError:
            continue
        if version:
            return str(version)
    return "0.1.0"


def _same(old: object, new: object) -> bool:
    """Whether two values mean one thing: a file may be named from here and from the root."""
    if isinstance(old, str) and isinstance(new, str):
        return Path(old).resolve() == Path(new).resolve()
    return old == new


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Walk ``{"a": {"b": 12}}`` as ``("a.b", 12)``."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
