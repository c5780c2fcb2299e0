"""Every command explains itself, with an example, and starts without slow libraries."""

import json
import os
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


@pytest.mark.parametrize("command", ["preview", "inspect"])
def test_a_look_at_a_scan_takes_one_thread_for_linear_algebra(command, tmp_path):
    program = (
        "import os, sys; from tomobatch.cli import app\n"
        f"try: app(['{command}', 'nowhere.h5'])\n"
        "except Exception: print('numpy' in sys.modules, len(os.listdir('/proc/self/task')))"
    )
    others = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
    unsaid, one, four = (
        subprocess.run(
            [sys.executable, "-c", program],
            check=True,
            capture_output=True,
            env={**others, **said},
            cwd=tmp_path,
        ).stdout.split()[-2:]
        for said in ({}, {"OPENBLAS_NUM_THREADS": "1"}, {"OPENBLAS_NUM_THREADS": "4"})
    )
    # Those of OpenBLAS start when numpy is imported; what the user says wins.
    assert unsaid == one
    assert int(four[1]) > int(one[1]) or (os.cpu_count() or 1) == 1
