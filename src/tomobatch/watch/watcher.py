"""One look at a watched folder: what has arrived whole is reconstructed, and written down."""

from collections.abc import Callable, Collection

from tomobatch.errors import UserError
from tomobatch.watch.arrivals import Arrival, Arrivals
from tomobatch.watch.journal import Entry, Journal, State

Name = Callable[[Arrival, Collection[str]], str]
Reconstruct = Callable[[str, Arrival], State]
Say = Callable[[str], object]


def take_finished(
    arrivals: Arrivals,
    journal: Journal,
    now_s: float,
    *,
    name: Name,
    reconstruct: Reconstruct,
    say: Say,
) -> list[Arrival]:
    """Look once, reconstruct what is finished one after the other, and return what is waited for.

    A scan that changes after it was reconstructed is said and left: its results are never replaced
    unasked.

    Parameters
    ----------
    name
        Names a scan that has come, beside the names of others.
    reconstruct
        Does it and returns what became of it; ``UserError`` where the scan cannot be.
    say
        Tells the user a line.
    """
    waiting = []
    for arrival in arrivals.look(now_s, journal.known()):
        earlier = journal.entries.get(arrival.path)
        if arrival.waits_for is not None:
            waiting.append(arrival)
        elif earlier is not None and earlier.state in ("done", "submitted"):
            say(
                f"{arrival.path} has changed since it was reconstructed as {earlier.name}, and is"
                " left as it is; `tomobatch run --replace` makes it anew"
            )
            journal.note(
                arrival.path, Entry(earlier.name, arrival.weight, earlier.state, earlier.why)
            )
        else:
            if arrival.remark is not None:
                say(f"warning: {arrival.path}: {arrival.remark}")
            called = (
                earlier.name if earlier else name(arrival, journal.names_of_others(arrival.path))
            )
            journal.note(arrival.path, Entry(called, arrival.weight, "running"))
            journal.note(arrival.path, _try(called, arrival, reconstruct, say))
    return waiting


def _try(called: str, arrival: Arrival, reconstruct: Reconstruct, say: Say) -> Entry:
    try:
        return Entry(called, arrival.weight, reconstruct(called, arrival))
    except UserError as error:
        say(f"error: {called}: {error}")
        return Entry(called, arrival.weight, "refused", str(error))
