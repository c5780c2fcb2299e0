"""``tomobatch dag``: a picture of every job (decision 4)."""

from pathlib import Path
from typing import Annotated

import typer

from tomobatch.cli.shared.new_file import refuse_existing
from tomobatch.cli.shared.options import Force
from tomobatch.cli.shared.snakemake import snakemake_output
from tomobatch.errors import UserError
from tomobatch.words import counted


def run(
    output: Annotated[Path, typer.Argument(help="Picture to write: .svg, .png or .pdf.")] = Path(
        "dag.svg"
    ),
    rules: Annotated[bool, typer.Option(help="Draw one box a rule instead of one a job.")] = False,
    force: Force = False,
) -> None:
    """Draw every job of the configured scans, run before or not.

    Example: `tomobatch dag --rules dag.png`
    """
    # Graphviz comes inside this wheel, so nothing needs installing on the system.
    import pygraphviz

    if output.suffix not in (".svg", ".png", ".pdf"):
        raise UserError(f"{output}: a picture ends in .svg, .png or .pdf")
    refuse_existing(output, force=force)
    dot = snakemake_output(["--forceall", "--rulegraph" if rules else "--dag", "dot"])
    graph = pygraphviz.AGraph(string=dot[dot.index("digraph") :])
    graph.draw(output, prog="dot")
    typer.echo(f"{output}: {counted(len(graph.nodes()), 'job')}" if not rules else str(output))
