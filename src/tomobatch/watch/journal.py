"""What became of the scans of a watched folder, in a file that survives whoever watches."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from tomobatch.errors import UserError
from tomobatch.stores.files import write_json
from tomobatch.watch.writing import Weight

State = Literal["running", "submitted", "done", "failed", "refused"]

_TRIED_AGAIN: tuple[State, ...] = ("running", "failed", "refused")


@dataclass(frozen=True)
class Entry:
    """What became of one scan.

    Attributes
    ----------
    name
        Under which its results lie.
    weight
        What its files weighed when it was taken.
    state
        How far it is.
    why
        What went wrong.
    """

    name: str
    weight: Weight
    state: State
    why: str = ""


class Journal:
    """The entries by path; each change is on disk before anything else happens.

    What was running, has failed or was refused when the journal is opened is tried again: its
    entry is kept for its name alone.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.entries: dict[Path, Entry] = {}
        self._again: set[Path] = set()
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            for scan, entry in values.items():
                weight = Weight(*entry.pop("weight"))
                self.entries[Path(scan)] = Entry(weight=weight, **entry)
        except FileNotFoundError:
            return
        except (ValueError, TypeError, AttributeError) as error:
            raise UserError(
                f"{path}: damaged ({error}); without it, finished results are still known"
            ) from None
        self._again = {scan for scan, entry in self.entries.items() if entry.state in _TRIED_AGAIN}

    def note(self, scan: Path, entry: Entry) -> None:
        """Write down what becomes of a scan."""
        self.entries[scan] = entry
        self._again.discard(scan)
        write_json(self._path, {str(path): asdict(one) for path, one in self.entries.items()})

    def known(self) -> set[tuple[Path, Weight]]:
        """Return the scans that are not to be taken as they are now."""
        return {
            (scan, entry.weight) for scan, entry in self.entries.items() if scan not in self._again
        }

    def with_state(self, state: State) -> dict[Path, Entry]:
        """Return the entries of a state."""
        return {scan: entry for scan, entry in self.entries.items() if entry.state == state}

    def names_of_others(self, scan: Path) -> set[str]:
        """Return the names that other scans have."""
        return {entry.name for path, entry in self.entries.items() if path != scan}
