"""A disk that is too small for a run is told of before anything is computed."""

import shutil
from types import SimpleNamespace

import pytest
from tests.cli.calling import tomobatch

from tomobatch.cli.shared import snakemake


@pytest.fixture
def started(tmp_path, tiny_scan, monkeypatch):
    """What is started in a folder with a scan, rather than the workflow."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(tiny_scan, tmp_path / "tiny.h5")
    assert tomobatch("init", ".", "tiny.h5").code == 0
    commands = []

    def start(command, **_):
        commands.append(command)
        raise InterruptedError

    monkeypatch.setattr(snakemake.subprocess, "Popen", start)
    return commands


@pytest.mark.parametrize("command", [("demo", "tiny.h5"), ("run", "--local", "tiny.h5")])
def test_what_the_disk_has_to_take_is_said_and_refused(started, tmp_path, monkeypatch, command):
    with pytest.raises(InterruptedError):
        tomobatch(*command)
    assert len(started) == 1
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    before = sorted(tmp_path.rglob("*"))
    said = tomobatch(*command)
    assert said.code == 1
    assert said.err.endswith(
        "are needed in results, 0.0 MB are free: free some, or set `results` to another disk"
    )
    assert len(started) == 1
    assert sorted(tmp_path.rglob("*")) == before
