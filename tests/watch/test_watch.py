"""Scans that arrive in a folder, written by another process, are taken once they are whole."""

import os
import subprocess
import sys
from pathlib import Path

import h5py
import pytest
import typer
from tests.cli.calling import tomobatch
from tests.in_process import reconstruct
from tests.scan import stacks
from tests.workflow.conftest import make_tiny_scan

from tomobatch.cli import watch
from tomobatch.errors import UserError
from tomobatch.scan.settings import DatasetSettings
from tomobatch.watch.arrivals import Arrivals
from tomobatch.watch.journal import Journal
from tomobatch.watch.watcher import take_finished

SETTLE_S, PATIENCE_S = 60.0, 1800.0


class Watched:
    """A folder that is looked at, by a clock of the test's, and what is taken from it."""

    def __init__(self, folder, journal, reconstruct=lambda name, arrival: "done"):
        self.arrivals = Arrivals(
            folder, DatasetSettings(), settle_s=SETTLE_S, patience_s=PATIENCE_S
        )
        self.journal = Journal(journal)
        self.reconstruct = reconstruct
        self.taken, self.said, self.now_s = [], [], 1000.0

    def look(self, after_s=0.0):
        """Look once; return why each scan is waited for, by name."""
        self.now_s += after_s
        waiting = take_finished(
            self.arrivals,
            self.journal,
            self.now_s,
            name=lambda arrival, taken: arrival.path.stem + "x" * (arrival.path.stem in taken),
            reconstruct=self._take,
            say=self.said.append,
        )
        return {one.path.name: one.waits_for for one in waiting}

    def _take(self, name, arrival):
        self.taken.append(name)
        return self.reconstruct(name, arrival)


@pytest.fixture
def watched(tmp_path):
    (tmp_path / "raw").mkdir()
    return Watched(tmp_path / "raw", tmp_path / "watched.json")


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    path = tmp_path_factory.mktemp("scan") / "tiny.h5"
    make_tiny_scan(path)
    return path


class Writer:
    """The process that writes; each step waits until it has come so far."""

    def __init__(self, source, target):
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("writer.py")), str(source), str(target)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def until(self, said):
        """Wait for what it says."""
        assert self.process.stdout.readline().strip() == str(said)

    def go_on(self):
        """Let it take the next step."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self):
        """Let it end, and close its pipes."""
        self.process.communicate("\n", timeout=60)
        assert self.process.returncode == 0


def test_a_scan_is_taken_once_it_is_closed_and_whole(watched, scan, tmp_path):
    runs = tmp_path / "results"
    watched.reconstruct = lambda name, arrival: (
        reconstruct(runs / name, arrival.path, {"stripes": {"method": "none"}}) and "done"
    )
    with h5py.File(scan) as file:
        n = len(file["exchange/data"])
    writer = Writer(scan, tmp_path / "raw" / "tiny.h5")
    writer.until(n // 2)
    assert watched.look() == {"tiny.h5": "it may still grow"}
    # A detector that stands still for an hour is no end of a scan.
    told = watched.look(3600)["tiny.h5"]
    assert told == f"process {writer.process.pid} has it open to write"
    writer.go_on()
    writer.until(n)
    watched.look()
    assert "has it open" in watched.look(3600)["tiny.h5"]
    writer.go_on()
    writer.until("closed")
    watched.look()
    assert watched.look(SETTLE_S) == {}
    assert watched.taken == ["tiny"]
    assert (runs / "tiny" / "calibration.json").is_file()
    assert watched.look(3600) == {}
    assert watched.taken == ["tiny"]
    writer.end()


def test_a_scan_is_waited_for_until_its_frames_are_as_announced(watched, tmp_path):
    blank = stacks.PROJECTIONS.copy()
    blank[7:] = 0
    path = stacks.write_data_exchange(tmp_path / "raw" / "a.h5", data=blank)
    watched.look()
    assert watched.look(SETTLE_S) == {"a.h5": "5 projections that it announces are not there"}
    with h5py.File(path, "r+") as file:
        file["exchange/data"][:] = stacks.PROJECTIONS
    assert watched.look(SETTLE_S) == {"a.h5": "it may still grow"}
    watched.look(SETTLE_S)
    assert watched.taken == ["a"]


@pytest.mark.parametrize("data", [stacks.PROJECTIONS[:9], None])
def test_an_aborted_scan_is_taken_in_the_end_and_said(watched, tmp_path, data):
    if data is None:
        data = stacks.PROJECTIONS.copy()
        data[9:] = 0
    stacks.write_data_exchange(tmp_path / "raw" / "a.h5", data=data)
    watched.look()
    assert "3 projections" in watched.look(PATIENCE_S - 1)["a.h5"]
    assert watched.look(1) == {}
    assert watched.taken == ["a"]
    assert "3 projections that it announces are not there" in watched.said[0]


def test_a_file_that_is_half_copied_is_waited_for(watched, tmp_path):
    whole = stacks.write_data_exchange(tmp_path / "whole.h5").read_bytes()
    copy = tmp_path / "raw" / "a.h5"
    copy.write_bytes(whole[: len(whole) // 2])
    watched.look()
    assert watched.look(SETTLE_S)["a.h5"].startswith("it cannot be read: ")
    copy.write_bytes(whole)
    watched.look(1)
    watched.look(SETTLE_S)
    assert watched.taken == ["a"]


def test_a_folder_of_pictures_is_finished_when_no_more_come(watched, tmp_path):
    folder = tmp_path / "raw" / "bone"
    folder.mkdir()
    (tmp_path / "raw" / "logs").mkdir()
    (tmp_path / "raw" / "notes.txt").write_text("no scan")
    (tmp_path / "raw" / ".bone.h5.partial").write_bytes(b"part")
    for number in range(3):
        (folder / f"bone_{number}.tif").write_bytes(b"picture")
        assert watched.look(SETTLE_S - 1) == {"bone": "it may still grow"}
    assert "it cannot be read" in watched.look(SETTLE_S)["bone"]


def test_started_again_it_knows_what_was_done_and_tries_the_rest(watched, tmp_path):
    outcomes = {"a": "done", "b": "failed", "c": UserError("no flats"), "d": KeyboardInterrupt()}

    def end(name, arrival):
        outcome = outcomes[name]
        if isinstance(outcome, str):
            return outcome
        raise outcome

    for name in outcomes:
        stacks.write_data_exchange(tmp_path / "raw" / f"{name}.h5")
        # In the order in which they were finished.
        os.utime(tmp_path / "raw" / f"{name}.h5", ns=(0, 10**18 + ord(name)))
    watched.reconstruct = end
    watched.look()
    with pytest.raises(KeyboardInterrupt):
        watched.look(SETTLE_S)
    assert watched.taken == ["a", "b", "c", "d"]
    assert watched.said == ["error: c: no flats"]
    again = Watched(tmp_path / "raw", tmp_path / "watched.json")
    again.look()
    assert again.look(SETTLE_S) == {}
    assert again.taken == ["b", "c", "d"]
    assert {entry.state for entry in again.journal.entries.values()} == {"done"}


def test_what_fails_is_not_tried_again_and_again(watched, tmp_path):
    path = stacks.write_data_exchange(tmp_path / "raw" / "a.h5")
    watched.reconstruct = lambda name, arrival: "failed"
    watched.look()
    watched.look(SETTLE_S)
    watched.look(SETTLE_S)
    assert watched.taken == ["a"]
    # Another scan under its name is.
    stacks.write_nxtomo(path)
    watched.look()
    watched.look(SETTLE_S)
    assert watched.taken == ["a", "a"]


def test_what_changes_afterwards_is_said_once_and_left(watched, tmp_path):
    path = stacks.write_data_exchange(tmp_path / "raw" / "a.h5")
    watched.look()
    watched.look(SETTLE_S)
    stacks.write_nxtomo(path)
    for _ in range(4):
        watched.look(SETTLE_S)
    assert watched.taken == ["a"]
    assert len(watched.said) == 1
    assert "has changed since it was reconstructed as a" in watched.said[0]


def test_two_files_of_one_stem_have_names_of_their_own(watched, tmp_path):
    for suffix in (".h5", ".nxs"):
        stacks.write_data_exchange(tmp_path / "raw" / f"a{suffix}")
    watched.look()
    watched.look(SETTLE_S)
    assert sorted(watched.taken) == ["a", "ax"]


def test_a_damaged_journal_is_said(tmp_path):
    (tmp_path / "watched.json").write_text("{")
    with pytest.raises(UserError, match=r"watched\.json: damaged"):
        Journal(tmp_path / "watched.json")


def test_no_folder_is_a_mistake(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = tomobatch("watch", "nowhere", "--local")
    assert (said.code, said.err) == (1, "error: nowhere: no such folder")


def test_the_command_goes_on_after_a_scan_that_fails_and_names_it(tmp_path, monkeypatch):
    """The run itself, of Snakemake, is that of ``tomobatch run --local``, and tested there."""
    monkeypatch.chdir(tmp_path)
    Path("Snakefile").write_text("")
    Path("config.yaml").write_text("stripes: {method: none}\n")
    Path("raw").mkdir()
    for name in ("bad", "good", "without"):
        stacks.write_data_exchange(Path("raw") / f"{name}.h5")
    with h5py.File("raw/without.h5", "r+") as file:
        del file["exchange/data_white"]
    ran = {}

    def run_local(called, scans, plans, results, **_):
        ran[called] = plans.good[called].config.stripes.method
        (results / called / "records").mkdir(parents=True)
        if called == "bad":
            raise typer.Exit(1)

    monkeypatch.setattr(watch, "run_local", run_local)
    said = tomobatch("watch", "raw", "--local", "--once", "--every", "0.1", "--settle", "0")
    assert said.code == 1
    assert ran == {"bad": "none", "good": "none"}
    assert "not reconstructed: bad, without; started again, they are tried again" in said.err
    assert "error: without: " in said.err
    assert "bad" in Path("results/scans.html").read_text()
    entries = Journal(Path("results/watched.json")).entries
    assert {entry.name: entry.state for entry in entries.values()} == {
        "bad": "failed",
        "good": "done",
        "without": "refused",
    }
