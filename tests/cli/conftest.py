"""A deployment on an emulated account, and a folder in which a user works with it."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from tests.deployed import deploy_templates
from tests.warm_start import image, poll_often, tomobatch

import aws_batch_emulator
from aws_batch_emulator import Emulator
from tomobatch.phantom.write import write_phantom

WORKFLOW = ("Snakefile", "rules", "scripts", "envs", "docs", "cloudformation")
CONFIG = {"scans": {}, "chunks": {"projections": 30, "slices": 6}, "volume": {"levels": 2}}


@pytest.fixture(scope="session")
def tiny_scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a scan of 12 rows, 48 columns and 60 projections."""
    path = tmp_path_factory.mktemp("scans") / "tiny.h5"
    write_phantom(path, size=48, n_rows=12, n_angles=60, n_flats=4, n_darks=4, seed=3)
    return path


@pytest.fixture(scope="session")
def shared_emulator():
    variables = {"TOMOBATCH_DEVICE": "cpu", **image()}
    with aws_batch_emulator.start(stack=None, slots=3, grace_s=3, variables=variables) as emulator:
        deploy_templates(emulator)
        yield emulator


@pytest.fixture
def emulator(shared_emulator, monkeypatch) -> Emulator:
    """An emulator without faults, and the environment that points at it."""
    set_environment(monkeypatch, shared_emulator)
    shared_emulator.clear_faults()
    shared_emulator.reset_calls()
    yield shared_emulator
    shared_emulator.clear_faults()


def set_environment(
    monkeypatch: pytest.MonkeyPatch, emulator: Emulator, *, administrator: bool = False
) -> None:
    """Point every AWS client at an emulator, and nothing at a deployment of an earlier test."""
    variables = emulator.administrator if administrator else emulator.environment
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "TOMOBATCH_BUCKET", "TOMOBATCH_STACK"):
        monkeypatch.delenv(name, raising=False)


@dataclass
class Workplace:
    """A folder with the workflow, a configuration and a scan."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, ok: bool = True) -> str:
        """Run the command line without a terminal and return what it printed."""
        done = subprocess.run(
            [tomobatch(), *arguments],
            cwd=self.folder,
            env={**os.environ, **self.environment},
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
        )
        assert (done.returncode == 0) == ok, done.stdout
        return done.stdout

    def refused(self, *arguments: str) -> str:
        """Run the command line, which must end with one line that says what to do."""
        text = self.run(*arguments, ok=False)
        last = text.strip().splitlines()[-1]
        assert last.startswith("error: "), text
        assert "Traceback" not in text
        return last.removeprefix("error: ")

    def json(self, *arguments: str) -> object:
        return json.loads(self.run(*arguments, "--json"))


@pytest.fixture
def new_workplace(tmp_path: Path, repository: Path, tiny_scan: Path) -> Callable[[], Workplace]:
    def make(**config: object) -> Workplace:
        for name in WORKFLOW:
            (tmp_path / name).symlink_to(repository / name)
        shutil.copytree(repository / "profiles", tmp_path / "profiles")
        poll_often(tmp_path / "profiles")
        (tmp_path / "config.yaml").write_text(yaml.safe_dump(CONFIG | config), encoding="utf-8")
        (tmp_path / "scans").mkdir()
        (tmp_path / "scans" / "tiny.h5").symlink_to(tiny_scan)
        return Workplace(tmp_path)

    return make


@pytest.fixture
def workplace(new_workplace: Callable[[], Workplace]) -> Workplace:
    return new_workplace()
