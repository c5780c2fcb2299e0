"""Every command explains itself, with an example, and starts without slow libraries."""

import json
import subprocess
import sys

import pytest
import typer.main
from tests.cli.calling import tomobatch

from tomobatch.cli import app

COMMANDS = sorted(typer.main.get_command(app).commands)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command):
    said = tomobatch(command, "--help")
    assert said.code == 0
    assert f"Example: tomobatch {command}" in " ".join(said.out.split())


def test_help_names_every_command():
    said = tomobatch("--help")
    assert said.code == 0
    for command in COMMANDS:
        assert f" {command} " in said.out


def test_an_unknown_option_is_a_mistake():
    assert tomobatch("doctor", "--devise").code == 2


def test_help_imports_nothing_slow():
    program = (
        "import json, sys; from tomobatch.cli import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: print('\\n' + json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "typer" in loaded
    assert not loaded & {"boto3", "numpy", "scipy", "zarr", "pyopencl", "snakemake", "pydantic"}
