"""Processes that really run: forks, time limits, signals, what is left behind.

Each test runs the runner in a process of its own, because it installs signal handlers.
"""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PREAMBLE = """
import json, os, signal, subprocess, sys, time
from snakemake_executor_plugin_aws_batch_array.worker import process
from snakemake_executor_plugin_aws_batch_array.worker.process import ProcessRunner
process.STOP_GRACE_S = 0.5
runner = ProcessRunner()

def show(ended):
    print(json.dumps([ended.exit_code, ended.timed_out, runner.stopping]), flush=True)

def ignore_stop():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("ready", flush=True)
    time.sleep(60)
"""


def start(script):
    return subprocess.Popen(
        [sys.executable, "-c", PREAMBLE + script], stdout=subprocess.PIPE, text=True
    )


def run(script):
    """Return what the script showed, one list a run."""
    with start(script) as process:
        text, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    return [json.loads(line) for line in text.splitlines() if line.startswith("[")]


@pytest.mark.parametrize(
    ("function", "exit_code"),
    [
        ("lambda: 0", 0),
        ("lambda: 3", 3),
        ("lambda: sys.exit(5)", 1),
        ("lambda: 1 / 0", 1),
        ("lambda: os.kill(os.getpid(), signal.SIGKILL)", 137),
    ],
)
def test_exit_codes(function, exit_code):
    assert run(f"show(runner.run({function}))") == [[exit_code, False, False]]


def test_nothing_is_left_behind_in_the_worker():
    script = "runner.run(lambda: os.environ.update(LEFT='x') or 0)\nassert 'LEFT' not in os.environ"

    assert run(script) == []


def test_a_time_limit_ends_one_run_and_not_the_next():
    script = "show(runner.run(lambda: time.sleep(60), 0.2)); show(runner.run(lambda: 0, 5))"

    assert run(script) == [[143, True, False], [0, False, False]]


def test_a_process_that_ignores_the_limit_is_killed():
    assert run("show(runner.run(ignore_stop, 0.5))") == [[137, True, False]]


@pytest.mark.parametrize(
    ("function", "exit_code"), [("lambda: print('ready', flush=True) or time.sleep(60)", 143),
                                ("ignore_stop", 137)],
)  # fmt: skip
def test_a_stop_reaches_the_command(function, exit_code):
    with start(f"show(runner.run({function}))") as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        text, _ = process.communicate(timeout=30)

    assert json.loads(text) == [exit_code, False, True]


def test_what_a_command_leaves_running_is_ended_with_it(tmp_path):
    pid_file = tmp_path / "pid"
    script = f"""
def leave():
    child = subprocess.Popen(["sleep", "60"])
    open({str(pid_file)!r}, "w").write(str(child.pid))
    return 0
runner.run(leave)
"""
    run(script)

    stat = Path(f"/proc/{pid_file.read_text()}/stat")
    deadline = time.monotonic() + 30
    while stat.exists() and stat.read_text().split()[2] != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_peak_memory_is_that_of_the_command():
    script = """
large = runner.run(lambda: len(bytearray(200 << 20)) and 0)
assert large.peak_memory_mib >= 200
"""
    assert run(script) == []
