"""Which run a user means."""

import difflib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from tomobatch.aws.runs.place import Place
from tomobatch.aws.runs.record import RunRecord, get_record
from tomobatch.errors import UserError

_AT_ONCE = 8
_NAMED_IN_AN_ERROR = 5


def pick_name(asked: str, names: Iterable[str]) -> str:
    """Return the one name that equals what was asked for, or begins with it.

    Raises
    ------
    UserError
        If none does, with the closest names, or if several do, with all of them.
    """
    known = sorted(set(names))
    if asked in known:
        return asked
    beginning = [name for name in known if name.startswith(asked)]
    if len(beginning) == 1:
        return beginning[0]
    if beginning:
        raise UserError(f"run {asked!r} is ambiguous: {_some(beginning)}; write more of its name")
    close = difflib.get_close_matches(asked, known, n=3, cutoff=0.4)
    if close:
        raise UserError(f"there is no run {asked!r}; did you mean {' or '.join(close)}?")
    if known:
        raise UserError(f"there is no run {asked!r}; there are {_some(known)}")
    raise UserError(f"there is no run {asked!r}, nor any other; start one with `tomobatch run`")


def all_runs(place: Place) -> dict[str, RunRecord | None]:
    """Return every run by name, with its record if `tomobatch run` started it.

    Those that plain Snakemake started are known for as long as their lists are kept.
    """
    folders = place.folders(place.runs)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        records = pool.map(lambda run: get_record(place, run), folders)
        recorded = {record.name: record for record in records if record is not None}
    return dict.fromkeys(place.folders(place.scratch)) | recorded


def find_run(place: Place, asked: str | None) -> tuple[str, RunRecord | None]:
    """Return the run a user means, and its record; without a name, the only one or the latest.

    Raises
    ------
    UserError
        If no run or several are meant.
    """
    if asked is not None:
        record = get_record(place, asked)
        if record is not None:
            return asked, record
    runs = all_runs(place)
    if asked is None:
        recorded = [record for record in runs.values() if record is not None]
        if recorded:
            record = max(recorded, key=lambda each: each.started_ms)
            return record.name, record
        if len(runs) != 1:
            known = f": {_some(sorted(runs))}" if runs else "; start one with `tomobatch run`"
            raise UserError(f"which run? There are {len(runs)}{known}")
        asked = next(iter(runs))
    name = pick_name(asked, runs)
    return name, runs[name]


def _some(names: list[str]) -> str:
    more = len(names) - _NAMED_IN_AN_ERROR
    shown = ", ".join(names[:_NAMED_IN_AN_ERROR])
    return f"{shown} and {more} more" if more > 0 else shown
