"""A machine that cannot compile kernels is told so before anything is made or run."""

import pytest
from tests.cli.calling import tomobatch

from tomobatch.opencl import devices, pocl
from tomobatch.phantom.write import write_phantom


@pytest.fixture
def slim(tmp_path, monkeypatch):
    """A slim Linux, without a linker."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pocl, "missing_link_tools", lambda device: ["binutils"])
    devices._open.cache_clear()
    yield tmp_path
    devices._open.cache_clear()


@pytest.mark.parametrize("command", [("demo",), ("run", "--local", "tiny.h5")])
def test_what_the_machine_lacks_is_said_first(slim, command):
    write_phantom(slim / "tiny.h5", size=48, n_rows=12, n_angles=60, n_flats=4, n_darks=4)
    assert tomobatch("init", ".", "tiny.h5").code == 0
    if command[0] == "demo":
        (slim / "config.yaml").unlink()
    said = tomobatch(*command)
    assert said.code == 1
    assert "cannot link kernels without binutils: apt-get install gcc libc6-dev" in said.err
    assert not (slim / "scans").exists()
    assert not (slim / "results").exists()
