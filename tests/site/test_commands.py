"""Every command block of README and docs: what it types exists, with every option that it names.

What runs without an account is run by the tests of its page; here, nothing is left unlooked-at.
"""

import re
import shlex

import pytest
import typer.main
from snakemake.cli import get_argument_parser
from tests.workflow.running import REPOSITORY

from tomobatch.cli import app

PAGES = [
    REPOSITORY / "README.md",
    *sorted((REPOSITORY / "docs").glob("*.md")),
    *sorted((REPOSITORY / "docs" / "how-to").glob("*.md")),
]
BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
WRITTEN_BY_THE_READER = ("profiles/batch",)
PROGRAMS = ("tomobatch", "snakemake", "make", "aws-batch-emulator", "pip", ".", "source")


def commands():
    for page in PAGES:
        for _, language, text in BLOCK.findall(page.read_text(encoding="utf-8")):
            if language not in ("", "sh", "bash", "console"):
                continue
            for line in text.replace("\\\n", " ").splitlines():
                words = (
                    shlex.split(line.strip().removeprefix("$ "), comments=True)
                    if (line.strip().split(" ")[0] in PROGRAMS)
                    else []
                )
                if words:
                    yield pytest.param(words, id=f"{page.name}: {' '.join(words)}")


COMMANDS = list(commands())


def test_there_are_commands_to_look_at():
    assert len(COMMANDS) > 30


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_exists_as_it_is_written(words):
    program, *arguments = words
    if program == "tomobatch":
        group = typer.main.get_command(app)
        if arguments[0].startswith("--"):
            assert arguments[0] in {option for each in group.params for option in each.opts}
            return
        command = group.commands[arguments[0]]
        with command.make_context(arguments[0], arguments[1:], resilient_parsing=False):
            pass
    elif program == "snakemake":
        parser = get_argument_parser()
        parser.parse_known_args(arguments)
        known = {option for action in parser._actions for option in action.option_strings}
        named = {word.partition("=")[0] for word in arguments if word.startswith("--")}
        assert {each for each in named if not each.startswith("--slurm")} <= known
        for option in ("--profile", "--workflow-profile"):
            profile = arguments[arguments.index(option) + 1] if option in arguments else ""
            if profile.startswith("profiles/") and profile not in WRITTEN_BY_THE_READER:
                assert (REPOSITORY / profile / "config.yaml").is_file()
    elif program == "make":
        targets = re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
        assert {word for word in arguments if "=" not in word and not word.startswith("-")} <= set(
            targets
        )
