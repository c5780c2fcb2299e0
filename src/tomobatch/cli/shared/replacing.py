"""Whether finished results may be made anew with other settings: the user is asked."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import typer

from tomobatch.cli.shared.ask import confirm
from tomobatch.cli.shared.scans import Entry

if TYPE_CHECKING:
    from tomobatch.plan import ScanPlan

_MOST_TOLD = 10


def may_replace(
    results: Mapping[str, str],
    plans: "Mapping[str, ScanPlan]",
    scans: Mapping[str, Entry],
    *,
    yes: bool,
) -> bool:
    """Ask where finished results have other settings than those of a run, or are of 0.1.0.

    Results of later versions are left to Snakemake, which may have nothing to make anew of them.

    Parameters
    ----------
    results
        Where the results of each scan lie, or will lie.
    plans, scans
        What the run makes, and of which files.
    yes
        Answers without asking.

    Raises
    ------
    typer.Exit
        If the answer is no.
    UserError
        If nobody is there to answer.
    """
    from tomobatch.stores.finished import read_made_with

    asked = []
    for scan, folder in results.items():
        made_with = read_made_with(folder)
        if made_with is None:
            continue
        wanted = {**plans[scan].settings, "path": str(scans[scan]["path"])}
        if made_with.settings is None:
            asked.append(f"{folder}: finished, by tomobatch {made_with.version}")
        elif changed := made_with.differences(wanted):
            asked.append(f"{folder}: {'; '.join(changed)}")
    if not asked:
        return False
    for line in asked[:_MOST_TOLD]:
        typer.echo(line)
    question = f"Make {len(asked)} finished result{'s' * (len(asked) > 1)} anew?"
    if not confirm(question, yes=yes):
        raise typer.Exit(1)
    return True


def replacing(replaces: bool) -> list[str]:
    """Return what Snakemake is told, after ``--config``, for finished results to give way."""
    return ["replace_results=true"] if replaces else []
