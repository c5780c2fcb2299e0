"""``python -m tomobatch.aws.account deploy|teardown|outputs``."""

from __future__ import annotations

import argparse
import sys

from snakemake_executor_plugin_aws_batch_array.aws import make_client
from tomobatch.aws.account.changes import ChangeSet
from tomobatch.aws.account.deploy import deploy
from tomobatch.aws.account.mistakes import aws_mistakes
from tomobatch.aws.account.stacks import DEFAULT_PREFIX, read_outputs
from tomobatch.aws.account.teardown import teardown
from tomobatch.errors import UserError


def main(argv: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = _parse(argv)
    try:
        with aws_mistakes():
            _run(options)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        print(  # noqa: T201
            "\nStopped watching. What AWS has begun goes on by itself: run the same command again "
            "to see where it stands.",
            file=sys.stderr,
        )
        return 130
    return 0


def _parse(argv: list[str] | None) -> argparse.Namespace:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--prefix", default=DEFAULT_PREFIX, help="first part of all names")
    common.add_argument("--region", help="AWS Region; by default your AWS configuration's")
    parser = argparse.ArgumentParser(prog="python -m tomobatch.aws.account", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser(
        "deploy", parents=[common], help="create or update all stacks, in order"
    )
    command.add_argument("--yes", action="store_true", help="do not ask before a change")
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="settings",
        help="a parameter of the templates; repeat it for more",
    )
    command = commands.add_parser(
        "teardown", parents=[common], help="remove all stacks, in reverse order"
    )
    command.add_argument("--yes", action="store_true", help="do not ask")
    command.add_argument("--delete-data", action="store_true", help="delete the bucket's objects")
    command.add_argument("--keep-data", action="store_true", help="leave the bucket and the logs")
    commands.add_parser("outputs", parents=[common], help="print what the stacks export")
    return parser.parse_args(argv)


def _run(options: argparse.Namespace) -> None:
    cloudformation = make_client("cloudformation", options.region)
    if options.command == "outputs":
        _print_outputs(read_outputs(cloudformation, options.prefix))
    elif options.command == "deploy":
        outputs = deploy(
            cloudformation,
            options.prefix,
            _read_settings(options.settings),
            tell=_tell,
            confirm=lambda change_set: options.yes or _confirm_change(change_set),
        )
        _print_outputs(outputs)
    else:
        if not options.yes and not _ask(f"Delete all stacks {options.prefix}-* in this Region?"):
            raise UserError("Nothing was deleted.")
        teardown(
            cloudformation,
            make_client("s3", options.region),
            options.prefix,
            tell=_tell,
            delete_data=options.delete_data,
            keep_data=options.keep_data,
        )


def _read_settings(texts: list[str]) -> dict[str, str]:
    settings = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise UserError(f"--set {text}: write it as NAME=VALUE.")
        settings[name] = value
    return settings


def _confirm_change(change_set: ChangeSet) -> bool:
    """Ask before something that is there is replaced or removed; the rest is harmless."""
    if not any(change.loses_something for change in change_set.changes):
        return True
    return _ask(f"Replace or remove what is marked in {change_set.stack}?")


def _ask(question: str) -> bool:
    try:
        return input(f"{question} [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        raise UserError("Nobody is there to answer: add --yes to go on without asking.") from None


def _print_outputs(outputs: dict[str, str]) -> None:
    for name, value in sorted(outputs.items()):
        _tell(f"{name}: {value}")


def _tell(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
