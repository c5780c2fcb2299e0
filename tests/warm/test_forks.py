"""A fork of the warm process is as good as an interpreter of its own."""

import os
import shlex
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from tests.waiting import wait_for

from tomobatch.warm import launch


@pytest.fixture
def run(warm, tmp_path):
    """Run a text as a script in a fork; return how it ended and what it said."""

    def run(text, **options):
        script = tmp_path / "job.py"
        script.write_text(text)
        return subprocess.run(
            shlex.split(warm.command(str(script))),
            capture_output=True,
            text=True,
            timeout=60,
            **options,
        )

    return run


def test_modules_of_the_scripts_are_there_before_a_script_starts(run):
    assert run("import sys; print('colorsys' in sys.modules)").stdout == "True\n"


def test_a_script_is_the_main_program(run, tmp_path):
    told = run("import sys; print(__name__, sys.argv, sys.path[0])").stdout
    assert told == f"__main__ ['{tmp_path}/job.py'] {tmp_path}\n"


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("pass", 0, ""),
        ("raise SystemExit", 0, ""),
        ("raise SystemExit(3)", 3, ""),
        ("raise SystemExit('no beam')", 1, "no beam\n"),
        ("import os; os._exit(4)", 4, ""),
        ("import os; os.kill(os.getpid(), 9)", 137, ""),
        ("import atexit, os; atexit.register(os.write, 2, b'bye')", 0, "bye"),
        ("import threading; threading.Timer(0.1, print, 'x').start(); raise SystemExit(5)", 5, ""),
    ],
)
def test_a_script_ends_as_it_would_alone(run, tmp_path, text, code, said):
    ended = run(text)
    assert (ended.returncode, ended.stderr) == (code, said)
    alone = subprocess.run(
        # A shell that stays, as Snakemake's does, and tells of a signal by a number.
        ["bash", "-c", f"{shlex.quote(sys.executable)} {tmp_path}/job.py; exit $?"],
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, ended.stdout) == (alone.returncode, alone.stdout)


def test_an_exception_shows_its_traceback(run):
    ended = run("def measure():\n    raise ValueError('no flats')\nmeasure()")
    assert ended.returncode == 1
    assert "in measure" in ended.stderr
    assert ended.stderr.endswith("ValueError: no flats\n")


def test_files_folder_and_environment_are_the_launchers(run, tmp_path, monkeypatch):
    text = "import os, sys; print(os.getcwd(), sys.stdin.read(), os.environ.get('A'))"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("A", "first")
    where = tmp_path / "elsewhere"
    assert run(text, cwd=where, input="asked").stdout == f"{where} asked first\n"
    monkeypatch.delenv("A")
    assert run(text, cwd=where, input="asked").stdout == f"{where} asked None\n"


def test_no_two_forks_draw_the_same_random_numbers(run):
    draw = "import numpy, random; print(random.random(), numpy.random.random())"
    assert run(draw).stdout != run(draw).stdout


def test_without_a_warm_process_the_script_runs_plainly(tmp_path):
    script = tmp_path / "job.py"
    script.write_text("import sys; print(sys.argv[0], 'colorsys' in sys.modules)")
    command = [sys.executable, "-ISE", launch.__file__, str(tmp_path / "nobody"), str(script)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout == f"{script} False\n"


def started(warm, tmp_path):
    """Start a script that waits, and return its launcher and its own number."""
    script, told = tmp_path / "waits.py", tmp_path / "pid"
    script.write_text(
        "import os, pathlib, time\n"
        f"pathlib.Path({str(told)!r}).write_text(str(os.getpid()) + '.')\n"
        "time.sleep(600)\n"
    )
    launcher = subprocess.Popen(shlex.split(warm.command(str(script))))
    wait_for(lambda: told.exists() and told.read_text().endswith("."))
    return launcher, int(told.read_text()[:-1])


def is_there(pid):
    return Path(f"/proc/{pid}").exists()


def test_a_script_ends_with_its_launcher(warm, tmp_path):
    launcher, pid = started(warm, tmp_path)
    launcher.kill()
    launcher.wait()
    wait_for(lambda: not is_there(pid))


def test_a_script_that_is_interrupted_tells_its_launcher(warm, tmp_path):
    launcher, pid = started(warm, tmp_path)
    os.kill(pid, signal.SIGINT)
    assert launcher.wait(30) == 130


def test_a_warm_process_that_is_killed_takes_its_scripts_along(warm, tmp_path):
    launcher, pid = started(warm, tmp_path)
    warm._process.kill()
    assert launcher.wait(30) == 1
    wait_for(lambda: not is_there(pid))


def test_where_a_socket_finds_no_room_scripts_run_plainly(warm, tmp_path, monkeypatch):
    long = tmp_path / ("long" * 30)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    assert warm.command("job.py") is None
    assert list(long.iterdir()) == []


def test_all_ends_with_who_started_the_warm_process(warm, tmp_path):
    launcher, pid = started(warm, tmp_path)
    folder = Path(shlex.split(warm.command(""))[-2]).parent
    assert folder.is_dir()
    warm.stop()
    wait_for(lambda: not is_there(pid) and not folder.exists())
    assert launcher.wait(30) != 0
