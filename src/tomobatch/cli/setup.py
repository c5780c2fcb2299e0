"""``tomobatch setup``: from an empty AWS account to queues that wait for jobs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import yaml
from rich.console import Console
from rich.status import Status
from rich.table import Table

from tomobatch.cli.outputs import show_outputs
from tomobatch.cli.shared.ask import confirm
from tomobatch.cli.shared.options import DEFAULT_PREFIX, AsJson, Prefix, Region, Yes
from tomobatch.errors import UserError

if TYPE_CHECKING:
    from tomobatch.aws.account.changes import ChangeSet

Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the templates; repeat it."),
]


def run(
    prefix: Prefix = DEFAULT_PREFIX,
    region: Region = None,
    settings: Settings = None,
    profile: Annotated[str, typer.Option(help="Name of the Snakemake profile to write.")] = "aws",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Create or update all stacks, after showing what would change, and write a profile for them.

    Safe to repeat: what is as it should be is left alone, what was interrupted goes on. Of machines
    and zones it takes what the Region has.

    Example: `tomobatch setup --region eu-central-1 --set NoticeEmail=me@example.org`
    """
    from tomobatch.aws.account.deploy import choose_settings, deploy
    from tomobatch.aws.account.mistakes import aws_mistakes
    from tomobatch.cli.shared.aws import client_maker, watching

    wanted = read_settings(settings or [])
    console = Console(stderr=True, highlight=False)
    with aws_mistakes():
        make = client_maker(region)
        client = make("cloudformation")
        wanted = choose_settings(make, prefix, wanted, console.print)
        console.print(show_stacks(client, prefix))
        if not confirm(f"Set up {prefix} in {client.meta.region_name}?", yes=yes):
            raise UserError("nothing was changed")
        with watching(console) as status:
            outputs = deploy(
                client,
                prefix,
                wanted,
                tell=console.print,
                confirm=lambda change_set: _agree(change_set, status, yes),
            )
    show_outputs(outputs, as_json=as_json)
    offer_profile(user_profile(profile), prefix, client.meta.region_name, outputs, yes=yes)
    console.print("Next: tomobatch push, then tomobatch doctor --aws")


def _agree(change_set: "ChangeSet", status: Status, yes: bool) -> bool:
    """Ask before something that is there is replaced or removed; the rest is harmless."""
    if not any(change.loses_something for change in change_set.changes):
        return True
    status.stop()
    agreed = confirm(f"Replace or remove what is marked in {change_set.stack}?", yes=yes)
    status.start()
    return agreed


def read_settings(texts: list[str]) -> dict[str, str]:
    """Read ``NAME=VALUE`` settings.

    Raises
    ------
    UserError
        For one without ``=``.
    """
    settings = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise UserError(f"--set {text}: write it as NAME=VALUE")
        settings[name] = value
    return settings


def show_stacks(client: Any, prefix: str, plan: str | None = None) -> Table:  # noqa: ANN401
    """Return a table of the stacks: what each is now, and what is to become of it."""
    from tomobatch.aws.account.stacks import NEVER_CREATED, STACKS, find_stack

    table = Table("stack", "holds", "now", "plan", title=f"Stacks in {client.meta.region_name}")
    for stack in STACKS:
        found = find_stack(client, stack.full_name(prefix))
        if found is None:
            now, becomes = "-", "create" if plan is None else "-"
        else:
            status = found["StackStatus"]
            failed = status in NEVER_CREATED
            now = status.lower().replace("_", " ")
            becomes = plan or ("remove and create" if failed else "compare, change what differs")
        table.add_row(stack.full_name(prefix), stack.title, now, becomes)
    return table


def user_profile(name: str) -> Path:
    """Return where Snakemake looks a profile of a bare name up: the user's configuration folder."""
    from snakemake.common import get_appdirs

    return Path(get_appdirs().user_config_dir) / name / "config.yaml"


def offer_profile(
    file: Path, prefix: str, region: str, outputs: dict[str, str], *, yes: bool
) -> None:
    """Write the aws profile, filled in, where ``snakemake --profile`` finds it by its name."""
    content = filled_profile(prefix, region, outputs)
    name = file.parent.name
    if file.is_file() and file.read_text(encoding="utf-8") == content:
        typer.echo(f"{file}: as it should be", err=True)
        return
    verb = "Replace" if file.exists() else "Write"
    if not confirm(f"{verb} {file}, so that `snakemake --profile {name}` works?", yes=yes):
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(".config.yaml.partial")
    partial.write_text(content, encoding="utf-8")
    partial.replace(file)
    typer.echo(f"{file}: written; run snakemake --profile {name}", err=True)


def filled_profile(prefix: str, region: str, outputs: dict[str, str]) -> str:
    """Return profiles/aws of the workflow with one account's names in it.

    Raises
    ------
    UserError
        If the profile is not there, as in the image of the jobs.
    """
    from tomobatch.workflow import workflow_folder

    source = workflow_folder() / "profiles" / "aws" / "config.yaml"
    if not source.is_file():
        raise UserError(f"{source} does not exist: set up from an installed tomobatch or a clone")
    lines = source.read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if not line.startswith("#"))
    text = "\n".join(
        [
            f"# profiles/aws for the stacks {prefix}-* in {region}, written by `tomobatch setup`.",
            *lines[start:],
            "",
            f"aws-batch-array-region: {region}",
            "",
        ]
    )
    text = text.replace("$AWS_REGION", region)
    text = text.replace("$TOMOBATCH_STACK", prefix)
    text = text.replace("$TOMOBATCH_BUCKET", outputs["DataBucket"])
    yaml.safe_load(text)
    return text
