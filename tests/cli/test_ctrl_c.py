"""Ctrl-C while a run is started: what was submitted is ended again, or named."""

import os
import signal
import sys
import threading
from pathlib import Path

import pytest
import typer
from botocore.httpsession import URLLib3Session
from tests.cli.calling import tomobatch
from tests.waiting import wait_for

from aws_batch_emulator import Fault
from snakemake_executor_plugin_aws_batch_array.batch import BatchClient
from tomobatch.aws.runs import launch
from tomobatch.cli.shared import snakemake

RUN = ("run", "scans/tiny.h5", "--name", "begun", "--detach", "--pilots", "2", "--queue", "cpu")
START = {"run": RUN, "resume": ("resume", "begun", "--detach")}


class Keyboard:
    """Presses Ctrl-C at one of the calls to AWS, in whichever thread: before it, or after it."""

    def __init__(self, monkeypatch):
        self.pressed = threading.Event()
        self.at, self.moment, self.calls = None, "", []
        send = URLLib3Session.send

        def sent(session, request):
            self.calls.append(f"{request.method} {request.url.partition('?')[0]}")
            is_now = len(self.calls) - 1 == self.at
            if is_now and self.moment == "before":
                self.press()
            reply = send(session, request)
            if is_now and self.moment == "after":
                self.press()
            return reply

        monkeypatch.setattr(URLLib3Session, "send", sent)

    def press(self):
        # Again and again: one that comes just before a thread waits is heeded after the wait.
        while not self.pressed.wait(0.02):
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    def heed(self, *_):
        if not self.pressed.is_set():
            self.pressed.set()
            raise KeyboardInterrupt


@pytest.fixture
def keyboard(monkeypatch):
    keyboard = Keyboard(monkeypatch)
    earlier = signal.signal(signal.SIGINT, keyboard.heed)
    yield keyboard
    signal.signal(signal.SIGINT, earlier)


def live(emulator):
    return [job["jobId"] for job in emulator.live_jobs() if job["jobName"].startswith("begun-")]


# A connection that is broken off is closed with its process.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("command", START)
def test_ctrl_c_at_any_call_leaves_nothing_unnamed(
    emulator, workplace, monkeypatch, keyboard, command
):
    monkeypatch.chdir(workplace.folder)
    # No machine starts, so that the controller neither ends by itself nor takes time.
    emulator.inject(Fault("slow-start", match="begun-*", count=None))
    assert tomobatch(*RUN).code == 0
    assert tomobatch("stop", "begun", "--now", "--yes").code == 0
    keyboard.calls.clear()
    assert tomobatch(*START[command]).code == 0
    calls = list(keyboard.calls)
    assert tomobatch("stop", "begun", "--now", "--yes").code == 0
    # Of calls that are alike the last. One that changes nothing is the same before and after it.
    last = {call: at for at, call in enumerate(calls)}
    moments = [(at, "after") for at in last.values()]
    changing = ("PUT ", "POST")
    moments += [(at, "before") for at, _ in moments if calls[at].startswith(changing)]
    for keyboard.at, keyboard.moment in moments:
        keyboard.calls.clear()
        keyboard.pressed.clear()
        said = tomobatch(*START[command])
        where = f"{keyboard.moment} {calls[keyboard.at]}"
        assert said.code != 0, where
        assert keyboard.pressed.is_set(), where
        assert live(emulator) == [], where


@pytest.fixture
def unrecorded(emulator, workplace, monkeypatch):
    """A run whose record can't be written."""
    monkeypatch.chdir(workplace.folder)
    emulator.inject(Fault("slow-start", match="begun-*", count=None))

    def refuse(place, record):
        raise PermissionError("may not write the record")

    monkeypatch.setattr(launch, "put_record", refuse)


def test_a_controller_without_a_record_is_ended(emulator, unrecorded):
    with pytest.raises(PermissionError, match="may not write the record"):
        tomobatch(*RUN)
    assert live(emulator) == []


def test_a_controller_without_a_record_is_named_where_it_can_not_be_ended(
    emulator, unrecorded, monkeypatch
):
    terminate = BatchClient.terminate

    def refuse(batch, job_id, reason):
        raise PermissionError("may not end it")

    with monkeypatch.context() as patch:
        patch.setattr(BatchClient, "terminate", refuse)
        said = tomobatch(*RUN)
    (job_id,) = live(emulator)
    assert job_id in said.err
    assert "may not write the record" in said.err and "may not end it" in said.err
    terminate(BatchClient(), job_id, "end of the test")


SNAKEMAKE = """
import signal, sys, time
from pathlib import Path
signal.signal(signal.SIGINT, lambda *_: sys.exit(7))
Path("is-there").touch()
time.sleep(600)
"""


def test_snakemake_ends_its_jobs_if_ctrl_c_comes_while_it_is_noted_who_controls_the_run(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(snakemake, "snakemake_command", lambda _: [sys.executable, "-c", SNAKEMAKE])
    noted = []

    def note(pid):
        wait_for(Path("is-there").exists)
        noted.append(pid)
        if len(noted) == 1:
            os.kill(pid, signal.SIGINT)
            raise KeyboardInterrupt

    with pytest.raises(typer.Exit) as ended:
        snakemake.run_snakemake([], note)
    assert ended.value.exit_code == 7
    assert len(noted) == 2
