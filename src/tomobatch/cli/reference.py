"""The reference page of the command line, made from its own help by ``make docs``."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import typer.main

from tomobatch.cli import app

PAGE = Path("docs/reference/cli.md")

_INTRODUCTION = """\
# tomobatch

{help} This page is made from `--help` by `make docs`.

`tomobatch` stands beside plain `snakemake --profile profiles/aws`, never instead of it: it prints
the snakemake command that it runs. Commands that report take `--json`. Nothing is asked where there
is no terminal: a command that would ask says so and ends. `tomobatch --install-completion` teaches
the shell to complete commands and options.

| exit code | meaning |
|---|---|
| 0 | done; for `doctor`: all is well |
| 1 | a mistake that the message names, a check that failed, or a no to a question |
| 2 | no such command or option |
| 130 | interrupted |
| 141 | whoever read the output has left, as `head` does |
| other | that of the snakemake command that was run |
"""


def render_reference() -> str:
    """Return the page, in Markdown."""
    group: Any = typer.main.get_command(app)
    lines = [_INTRODUCTION.format(help=group.help)]
    lines += ["| command | what it does |", "|---|---|"]
    for name, command in sorted(group.commands.items()):
        first = inspect.cleandoc(command.help).partition("\n\n")[0].replace("\n", " ")
        lines.append(f"| [{name}](#tomobatch-{name}) | {first} |")
    for name, command in sorted(group.commands.items()):
        lines += ["", *_command(name, command)]
    return "\n".join([*lines, ""])


def _command(name: str, command: Any) -> Iterator[str]:  # noqa: ANN401 - a command of click
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option"]
    usage = " ".join(["tomobatch", name, *map(_usage, arguments), "[OPTIONS]" if options else ""])
    yield f"## tomobatch {name}\n\n{inspect.cleandoc(command.help)}\n"
    yield f"```\n{usage.rstrip()}\n```"
    if arguments or options:
        yield "\n| | what it is | default |\n|---|---|---|"
    for argument in arguments:
        yield f"| `{_usage(argument)}` | {_cell(argument.help)} | {_default(argument)} |"
    for option in options:
        names = ", ".join(f"`{one}`" for one in (*option.opts, *option.secondary_opts))
        yield f"| {names} | {_cell(option.help)}{_choices(option)} | {_default(option)} |"


def _usage(argument: Any) -> str:  # noqa: ANN401
    name = (argument.metavar or argument.name.upper()).strip("[]")
    name = f"{name}..." if argument.nargs == -1 else name
    return name if argument.required else f"[{name}]"


def _choices(option: Any) -> str:  # noqa: ANN401
    annotation = option.type_descriptor.annotation
    choices = get_args(annotation) if get_origin(annotation) is Literal else ()
    return f" One of {', '.join(f'`{one}`' for one in choices)}." if choices else ""


def _default(parameter: Any) -> str:  # noqa: ANN401
    value = parameter.default
    if parameter.required or value is None or value is False or value == ():
        return ""
    return f"`{value}`" if isinstance(value, str | int | float | Path) else ""


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|")


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(render_reference(), encoding="utf-8")
