"""The scans of a folder as they arrive: each is waited for until all of it is there."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from tomobatch.errors import UserError
from tomobatch.scan.open import open_scan
from tomobatch.scan.settings import DatasetSettings
from tomobatch.watch.writing import Weight, weigh, who_writes
from tomobatch.words import counted

_SCAN_FILE = re.compile(r".+\.(h5|hdf|hdf5|he5|nxs|nx|tif|tiff|txrm)", re.IGNORECASE)
_PICTURE = re.compile(r".+\.(tif|tiff|edf|fits|fit)", re.IGNORECASE)


@dataclass(frozen=True)
class Arrival:
    """A scan that lies in the folder.

    Attributes
    ----------
    path
        Of it.
    weight
        When it was looked at.
    waits_for
        Why it is not taken yet; None once it is.
    remark
        What the user should know where it is taken all the same.
    """

    path: Path
    weight: Weight
    waits_for: str | None
    remark: str | None = None


@dataclass
class _Seen:
    weight: Weight
    since_s: float


class Arrivals:
    """Looks at a folder again and again.

    A scan is finished once its files have kept their sizes and times for ``settle_s``, nobody has
    one of them open to write, and it can be read and all projections that it announces are there;
    if they do not come for ``patience_s``, as after an aborted scan, it is taken without them.

    Parameters
    ----------
    folder
        What lies directly in it is looked at: files of a known kind, folders of pictures, Zarr.
    datasets
        What the configuration says about the parts of scans.
    """

    def __init__(
        self, folder: Path, datasets: DatasetSettings, *, settle_s: float, patience_s: float
    ) -> None:
        self._folder, self._datasets = folder, datasets
        self._settle_s, self._patience_s = settle_s, patience_s
        self._seen: dict[Path, _Seen] = {}

    def look(self, now_s: float, known: Collection[tuple[Path, Weight]] = ()) -> list[Arrival]:
        """Return the scans that are there, the one that was finished first being the first.

        Parameters
        ----------
        now_s
            By a clock that runs on evenly.
        known
            Scans that have been taken as they are now, which are left out.
        """
        found = []
        for path in _candidates(self._folder):
            weight = weigh(path)
            if weight is None or (path, weight) in known:
                continue
            seen = self._seen.get(path)
            if seen is None or seen.weight != weight:
                seen = self._seen[path] = _Seen(weight, now_s)
            found.append(self._judge(path, seen, now_s - seen.since_s))
        return sorted(found, key=lambda one: (self._seen[one.path].since_s, one.weight.newest_ns))

    def _judge(self, path: Path, seen: _Seen, still_s: float) -> Arrival:
        if still_s < self._settle_s:
            return Arrival(path, seen.weight, "it may still grow")
        writer = who_writes(path)
        if writer is not None:
            return Arrival(path, seen.weight, writer)
        lacks = _what_it_lacks(path, self._datasets)
        if lacks is not None and still_s < self._patience_s:
            return Arrival(path, seen.weight, lacks)
        return Arrival(path, seen.weight, None, lacks)


def _candidates(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        inside = path.iterdir() if path.is_dir() else ()
        if any(map(_is_of_a_scan, inside)) or (path.is_file() and _SCAN_FILE.fullmatch(path.name)):
            yield path


def _is_of_a_scan(file: Path) -> bool:
    return file.name == "zarr.json" or _PICTURE.fullmatch(file.name) is not None


def _what_it_lacks(path: Path, datasets: DatasetSettings) -> str | None:
    """Say what a scan announces and has not, or why it cannot be read, as while it is copied."""
    try:
        with open_scan(path, datasets, strict=False) as scan:
            n_absent = scan.header.n_absent
    except UserError as error:
        return f"it cannot be read: {error}"
    return (
        f"{counted(n_absent, 'projection')} that it announces are not there" if n_absent else None
    )
