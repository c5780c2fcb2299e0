"""``tomobatch watch``: scans of a folder are reconstructed as they are finished."""

import hashlib
import time
from collections.abc import Collection, Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tomobatch.cli.run import Profile, name_of, run_local, run_on_aws
from tomobatch.cli.shared.naming import name_scans
from tomobatch.cli.shared.options import Verbose
from tomobatch.cli.shared.planning import Wish
from tomobatch.cli.shared.scans import Entry, find_scans, plan_scans, read_config
from tomobatch.cli.shared.snakemake import snakemake_command
from tomobatch.errors import UserError

if TYPE_CHECKING:
    from tomobatch.watch.arrivals import Arrival
    from tomobatch.watch.journal import Journal, State

JOURNAL = "watched.json"
_LONGEST_RUN = 40


def run(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where scans are written to.")],
    local: Annotated[bool, typer.Option(help="Reconstruct on this machine, not on AWS.")] = False,
    once: Annotated[
        bool, typer.Option("--once", help="End once nothing that is there is waited for.")
    ] = False,
    every_s: Annotated[
        float, typer.Option("--every", min=0.1, help="Seconds between two looks.")
    ] = 10.0,
    settle_s: Annotated[
        float, typer.Option("--settle", min=0, help="Seconds for which a scan must not change.")
    ] = 60.0,
    patience_s: Annotated[
        float,
        typer.Option(
            "--patience",
            min=0,
            help="Seconds after which a scan with fewer projections than it announces is taken.",
        ),
    ] = 1800.0,
    profile: Profile = "profiles/aws",
    verbose: Verbose = False,
) -> None:
    """Reconstruct the scans of a folder as they are finished, with the settings of config.yaml.

    A scan is finished once its files have not changed for a while, nobody has them open to write,
    and all projections that it announces are there. What has been reconstructed is remembered
    beside the results: started again, this goes on where it was. Ctrl-C ends it.

    Example: `tomobatch watch /data/visit-1234/raw --local`
    """
    # Libraries that take seconds to import are left to the commands that need them.
    from tomobatch.config.schema import load_config
    from tomobatch.watch.arrivals import Arrivals
    from tomobatch.watch.journal import Journal
    from tomobatch.watch.watcher import take_finished

    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder")
    snakemake_command([])
    config = read_config()
    checked = load_config({**config, "scans": {"any": "any"}})
    results = Path(checked.results)
    journal = Journal(results / JOURNAL)
    arrivals = Arrivals(
        folder.resolve(), checked.datasets, settle_s=settle_s, patience_s=patience_s
    )
    here = _Here(config, results, verbose=verbose) if local else _OnAws(config, profile)
    said: dict[Path, str | None] = {}
    typer.echo(f"Watching {folder}; results in {here.folder}  (Ctrl-C ends it)")
    try:
        while True:
            waiting = take_finished(
                arrivals,
                journal,
                time.monotonic(),
                name=here.name,
                reconstruct=here.reconstruct,
                say=lambda line: typer.echo(line, err=True),
            )
            _say_waiting(waiting, said)
            left = here.follow(journal)
            if once and not waiting and not left:
                break
            time.sleep(every_s)
    except KeyboardInterrupt:
        typer.echo()
    _exit(journal)


def _say_waiting(waiting: "Iterable[Arrival]", said: dict[Path, str | None]) -> None:
    """Say why a scan is waited for, when that has changed."""
    for one in waiting:
        if said.get(one.path) != one.waits_for:
            typer.echo(f"{datetime.now():%H:%M:%S} {one.path.name}: {one.waits_for}")
            said[one.path] = one.waits_for


def _exit(journal: "Journal") -> None:
    bad = [*journal.with_state("failed").values(), *journal.with_state("refused").values()]
    if bad:
        names = ", ".join(entry.name for entry in bad)
        raise UserError(f"not reconstructed: {names}; started again, they are tried again")


def _entries(called: str, path: Path, config: dict[str, Any]) -> dict[str, Entry]:
    """Return the scans of a file by the name that it has here; those of config.yaml by theirs.

    A file of several scans has one for each, its name before the entry's.
    """
    found = find_scans([str(path)], config)
    (usual,) = name_scans([str(path)])
    return {
        called + name.removeprefix(usual) if name.startswith(usual) else name: entry
        for name, entry in found.items()
    }


class _Here:
    """Scans reconstructed on this machine, one after the other."""

    def __init__(self, config: dict[str, Any], results: Path, *, verbose: bool) -> None:
        self.folder, self._config, self._verbose = results, config, verbose

    def name(self, arrival: "Arrival", taken: Collection[str]) -> str:
        (name,) = name_scans([str(arrival.path)], taken)
        return name

    def reconstruct(self, called: str, arrival: "Arrival") -> "State":
        scans = _entries(called, arrival.path, self._config)
        plans = plan_scans(scans, self._config)
        try:
            run_local(called, scans, plans, self.folder, verbose=self._verbose)
        except typer.Exit:
            return "failed"
        finally:
            self._write_page()
        return "done"

    def follow(self, _journal: "Journal") -> bool:
        """Nothing is left running here."""
        return False

    def _write_page(self) -> None:
        from tomobatch.report.scans import scans_in, write_scans_page

        if scans_in(self.folder):
            typer.echo(f"All scans            {write_scans_page(self.folder)}")


class _OnAws:
    """Scans sent to AWS, each a run of its own; reports come down as runs finish."""

    folder = Path("results-aws") / "watched"

    def __init__(self, config: dict[str, Any], profile: str) -> None:
        self._config, self._profile = config, profile

    def name(self, arrival: "Arrival", taken: Collection[str]) -> str:
        """Name a scan and its run; names of runs are short, and long ones of scans often alike."""
        from snakemake_executor_plugin_aws_batch_array.identity import safe_name

        (name,) = name_scans([str(arrival.path)], taken)
        if safe_name(name, _LONGEST_RUN) == name:
            return name
        path = hashlib.sha256(str(arrival.path).encode()).hexdigest()
        return f"{safe_name(name, _LONGEST_RUN - 8)}-{path[:7]}"

    def reconstruct(self, called: str, arrival: "Arrival") -> "State":
        scans = _entries(called, arrival.path, self._config)
        plans = plan_scans(scans, self._config)
        run_on_aws(name_of(called, scans), scans, plans, self._profile, Wish(), detach=True)
        return "submitted"

    def follow(self, journal: "Journal") -> bool:
        """Look at the runs under way, bring the reports of finished ones; tell if some run on."""
        from dataclasses import replace

        from tomobatch.aws.runs.state import Phase
        from tomobatch.cli.fetch import scan_results
        from tomobatch.cli.open import bring_reports
        from tomobatch.cli.shared.deployed import observed
        from tomobatch.report.scans import write_scans_page

        runs_on = False
        for path, entry in journal.with_state("submitted").items():
            with observed(entry.name) as observer:
                phase = observer.look().state.phase
                if phase.is_active or phase is Phase.IDLE:
                    runs_on = True
                    continue
                if bring_reports(scan_results(observer), self.folder):
                    typer.echo(f"All scans            {write_scans_page(self.folder)}")
            state: State = "done" if phase is Phase.FINISHED else "failed"
            journal.note(path, replace(entry, state=state, why=phase.value))
            typer.echo(f"{entry.name}: {phase.value}")
        return runs_on
