"""What a run leaves on S3 that may go: what lies between its steps, or all of it."""

from dataclasses import dataclass

from tomobatch.aws.runs.observe import Observer
from tomobatch.aws.runs.place import Place
from tomobatch.aws.runs.state import Phase
from tomobatch.results import is_intermediate
from tomobatch.s3.delete import delete_objects


@dataclass(frozen=True)
class Leftover:
    """What one run leaves.

    Attributes
    ----------
    run, phase
        The run, and what has become of it.
    keys, n_bytes
        Of the objects in the bucket that may go, and their size.
    """

    run: str
    phase: Phase
    keys: tuple[str, ...]
    n_bytes: int

    @property
    def may_go(self) -> bool:
        """Whether there is something, and nothing of the run works with it."""
        return bool(self.keys) and self.phase in (Phase.FINISHED, Phase.STOPPED, Phase.INCOMPLETE)

    @property
    def is_needed_to_go_on(self) -> bool:
        """Whether a run that is not finished would have to begin anew."""
        return self.phase is not Phase.FINISHED


def leftover(place: Place, run: str, *, everything: bool) -> Leftover:
    """Look at what a run leaves.

    Parameters
    ----------
    everything
        Its volumes, reports and lists too; else the intermediates of its scans.
    """
    phase = Observer(place, run).look().state.phase
    folders = [place.scratch / run, place.runs / run] if everything else [place.runs / run]
    files = [
        (f"{folder.key}/{file.name}", file.size)
        for folder in folders
        for file in place.files(folder)
        # Below the folder of a run is one for each scan.
        if everything or is_intermediate(file.name.partition("/")[2])
    ]
    return Leftover(run, phase, tuple(key for key, _ in files), sum(size for _, size in files))


def remove(place: Place, found: Leftover) -> None:
    """Delete what a run leaves; its record goes last, so that a second call finds the rest."""
    record = f"{(place.runs / found.run).key}/run.json"
    ordered = sorted(found.keys, key=lambda key: key == record)
    delete_objects(place.s3, place.bucket, [{"Key": key} for key in ordered])
