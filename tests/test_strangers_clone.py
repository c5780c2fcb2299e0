"""What a clone does that nobody has prepared: nothing of the user's goes, nothing absent is red."""

import os
import shutil
import subprocess
import sys

import pytest
from tests import leaving_out
from tests.real_scan import LEFT_OUT, PUBLISHED, SHA256, VARIABLE

USERS = (
    "scans/mine.h5",
    "results/mine/report.html",
    "results-aws/mine/report.html",
    "dag.svg",
    "config.yaml",
    ".snakemake/metadata/provenance",
)
_OF_MAKE = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")


def test_make_clean_leaves_what_is_the_users(repository, tmp_path):
    shutil.copy(repository / "Makefile", tmp_path)
    made = [".venv/bin/python", ".mypy_cache/x", ".ruff_cache/x", ".pytest_cache/x"]
    for name in [*USERS, *made]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("precious")
    subprocess.run(["make", "clean"], cwd=tmp_path, check=True, capture_output=True)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"Makefile", *USERS}


@pytest.mark.parametrize(
    ("target", "stamp", "mb", "then"),
    [
        (["demo"], "run", 310, "a scan is made and reconstructed here in a minute or two."),
        (["demo", "SCAN=mine/scan.h5"], "run", 310, "mine/scan.h5 is reconstructed."),
        (["demo-aws"], "dev", 520, "a scan is made and reconstructed here in a minute or two."),
    ],
)
def test_the_first_line_of_a_demo_says_what_will_happen(
    repository, tmp_path, target, stamp, mb, then
):
    """With a Python that fails, so that no more than it happens."""
    shutil.copy(repository / "Makefile", tmp_path)
    # As a person types it: a make within the one that runs these tests says where it is first.
    typed = {name: value for name, value in os.environ.items() if name not in _OF_MAKE}
    asked = {"cwd": tmp_path, "env": typed, "capture_output": True, "text": True, "check": False}
    said = subprocess.run(["make", *target, "PYTHON=false"], **asked)
    assert said.returncode != 0
    told = f"Once: some {mb} MB of packages are downloaded into .venv, 1 to 5 minutes; then {then}"
    assert said.stdout.splitlines()[0] == told
    assert not (tmp_path / ".venv").exists()
    (tmp_path / ".venv").mkdir()
    (tmp_path / f".venv/{stamp}.stamp").touch()
    assert "Once" not in subprocess.run(["make", *target, "PYTHON=false"], **asked).stdout


@pytest.mark.parametrize(
    ("variable", "code", "said"),
    [
        (None, 0, LEFT_OUT),
        ("nowhere.h5", 1, "nowhere.h5: No such file or directory"),
        (__file__, 1, "bytes with sha256"),
    ],
)
def test_the_real_scan_is_left_out_in_one_line_unless_it_was_promised(
    repository, variable, code, said
):
    """Run on its own tests, as a stranger's clone has them: no folder beside it, no variable."""
    # As a stranger has it: nothing is set, not even what the whole pass of tests sets for itself.
    ours = (VARIABLE, leaving_out.VARIABLE, "PYTEST_ADDOPTS")
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    if variable is not None:
        environment[VARIABLE] = variable
    test = "tests/calibrate/test_calibrate.py::test_real_scan_needs_no_setting"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test],
        cwd=repository,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if PUBLISHED in line]
    assert lines
    assert said in lines[0]
    assert SHA256 in lines[0] or "No such file" in said
