"""What the commands about runs on AWS share: the deployment, and the run.

The modules that know AWS are imported when a command needs them: they take half a second.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tomobatch.aws.runs.observe import Observer
    from tomobatch.aws.runs.place import Place

RunName = Annotated[
    str | None,
    typer.Argument(
        metavar="[RUN]", help="Name of the run, or how it begins; the latest one by default."
    ),
]
NamedRun = Annotated[str, typer.Argument(metavar="RUN", help="Name of the run, or its beginning.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@contextmanager
def deployment() -> Iterator["Place"]:
    """Open the deployed stacks; whatever AWS refuses inside is told in one line."""
    from tomobatch.aws.account.mistakes import aws_mistakes
    from tomobatch.aws.runs.place import find_place

    with aws_mistakes():
        yield find_place()


@contextmanager
def observed(run: str | None) -> Iterator["Observer"]:
    """Open the deployed stacks and find the run that the user means."""
    from tomobatch.aws.runs.find import find_run
    from tomobatch.aws.runs.observe import Observer

    with deployment() as place:
        name, _ = find_run(place, run)
        yield Observer(place, name)
