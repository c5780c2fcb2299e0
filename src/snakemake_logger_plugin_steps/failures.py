"""What failed: each cause once, with the end of its log, however many jobs had it."""

from collections.abc import Callable, Mapping, Sequence

_SHOWN_LINES = 8
_SHOWN_CAUSES = 5


class Failures:
    """The failed jobs of a run.

    Parameters
    ----------
    say
        Takes the lines that are for the user.

    Attributes
    ----------
    complete_log
        The file that has all that Snakemake said.
    """

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say
        self._n_jobs = 0
        self._causes: set[tuple[str, str]] = set()
        self.complete_log = ""

    def add(
        self,
        rule: str,
        wildcards: Mapping[str, str],
        logs: Mapping[str, list[str]],
        told: Sequence[str] = (),
    ) -> None:
        """Tell of a failed job, unless one of its rule ended with the same words before.

        Parameters
        ----------
        logs
            Log files of the job, and the lines of those that are on this machine.
        told
            What the executor says of a job that ran elsewhere: why it failed, then what it printed.
        """
        self._n_jobs += 1
        printed = [line for each in logs.values() for line in each] or told[1:]
        lines = [*told[:1], *_last(printed)]
        cause = (rule, lines[-1] if lines else "")
        if cause in self._causes or len(self._causes) >= _SHOWN_CAUSES:
            return
        self._causes.add(cause)
        which = ", ".join(f"{name} {value}" for name, value in wildcards.items())
        self._say(f"FAILED {rule}{' of ' if which else ''}{which}: {', '.join(logs) or 'no log'}")
        for line in lines:
            self._say(f"    {line}")

    def close(self) -> None:
        """Say how many there were, and where all of it stands."""
        if self._n_jobs:
            jobs = "1 attempt" if self._n_jobs == 1 else f"{self._n_jobs} attempts"
            where = f"; all that was said: {self.complete_log}" if self.complete_log else ""
            self._say(f"{jobs} of jobs failed{where}")
        self._n_jobs = 0


def _last(lines: Sequence[str]) -> Sequence[str]:
    """Return the one line that a job words for users, or else the end of what it said."""
    worded = [line for line in lines if line.startswith("error: ")]
    return worded[-1:] or lines[-_SHOWN_LINES:]
