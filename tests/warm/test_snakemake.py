"""Snakemake's own script jobs start warm, where that is safe."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.waiting import wait_for

SNAKEFILE = """
from pathlib import Path
from tomobatch.warm.install import install

install(Path(workflow.basedir) / "scripts")

rule all:
    input: "warm.txt", "watched.txt"

rule warm:
    output: "warm.txt"
    threads: 1
    script: "scripts/tell.py"

rule watched:
    output: "watched.txt"
    benchmark: "watched.tsv"
    script: "scripts/tell.py"

rule waits:
    output: "waits.txt"
    script: "scripts/wait.py"
"""
TELL = """
import sys
from pathlib import Path
Path(snakemake.output[0]).write_text(str("tomobatch.warm.request" in sys.modules))
"""
WAIT = """
import os, time
from pathlib import Path
Path("pid").write_text(f"{os.getpid()}.")
time.sleep(600)
"""


@pytest.fixture
def workflow(tmp_path) -> Path:
    folder = tmp_path / "a workflow {x}"
    (folder / "scripts").mkdir(parents=True)
    (folder / "Snakefile").write_text(SNAKEFILE)
    (folder / "scripts/tell.py").write_text(TELL)
    (folder / "scripts/wait.py").write_text(WAIT)
    return folder


COMMAND = [sys.executable, "-m", "snakemake", "--cores", "2"]


@pytest.mark.parametrize(("switch", "told"), [("1", "True"), ("0", "False")])
def test_scripts_start_warm_unless_told_not_to_or_watched(workflow, switch, told):
    env = {**os.environ, "TOMOBATCH_WARM_STARTS": switch}
    ended = subprocess.run(
        COMMAND, cwd=workflow, env=env, capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 0, ended.stderr
    assert (workflow / "warm.txt").read_text() == told
    assert (workflow / "watched.txt").read_text() == "False"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_of_a_run_that_is_ended(workflow, number):
    run = subprocess.Popen([*COMMAND, "waits.txt"], cwd=workflow, start_new_session=True)
    told = workflow / "pid"
    wait_for(lambda: told.exists() and told.read_text().endswith("."))
    if number == signal.SIGINT:
        # What a terminal does at Ctrl-C.
        os.killpg(run.pid, number)
    else:
        run.kill()
    run.wait(60)
    wait_for(lambda: not processes_of(run.pid))


def processes_of(session: int) -> list[str]:
    """Return the processes of a session that are still there."""
    listed = subprocess.run(["ps", "-o", "pid=,args=", "-s", str(session)], capture_output=True)
    return listed.stdout.decode().splitlines()
