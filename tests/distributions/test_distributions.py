"""The three wheels: what they hold, and that they run where nothing else is."""

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from tests.leaving_out import leave_out

DISTRIBUTIONS = ("tomobatch", "snakemake_executor_plugin_aws_batch_array", "aws_batch_emulator")
PAGE = "docs/how-to/own-workflow.md"


def test_each_has_an_sdist_and_a_wheel_that_an_index_would_take(built):
    files = sorted(built.iterdir())
    assert {file.name.split("-")[0] for file in files} == set(DISTRIBUTIONS)
    assert len(files) == 6
    done = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *files],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_wheel_holds_the_workflow(built, repository):
    (wheel,) = built.glob("tomobatch-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    listed = subprocess.run(
        ["git", "ls-files", "Snakefile", "rules", "scripts", "envs", "profiles", "cloudformation"],
        cwd=repository,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert len(listed) > 20
    assert {f"tomobatch/_workflow/{name}" for name in listed} <= names
    assert "snakemake_logger_plugin_steps/__init__.py" in names
    assert not [name for name in names if name.startswith(("tests", "plugins", "aws_batch"))]


def test_no_sdist_holds_what_is_of_one_checkout(built):
    for sdist in built.glob("*.tar.gz"):
        with tarfile.open(sdist) as archive:
            names = archive.getnames()
        assert not [name for name in names if re.search(r"\.venv|__pycache__|results/", name)]


@pytest.fixture(scope="module")
def empty(built, repository, tmp_path_factory):
    """An environment that holds the three wheels and what they ask for, and nothing else."""
    folder = tmp_path_factory.mktemp("empty environment")
    environment = folder / "venv"
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, environment], check=True)
    done = subprocess.run(
        [
            *(uv, "pip", "install", "--quiet", "--python", environment / "bin" / "python"),
            *("--constraint", repository / "requirements" / "dev.txt"),
            *(*built.glob("*.whl"), "snakemake-storage-plugin-s3"),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode and "error sending request" in done.stderr:
        leave_out("the wheels in an empty environment are left out: no package index is reached")
    assert done.returncode == 0, done.stderr
    return environment / "bin"


def run(empty, folder, *command, ok=True):
    """Run a program of the environment where nothing of this one is seen."""
    kept = {"HOME": os.environ["HOME"], "PATH": f"{empty}:/usr/local/bin:/usr/bin:/bin"}
    done = subprocess.run(
        [empty / command[0], *command[1:]],
        cwd=folder,
        env=kept,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert (done.returncode == 0) == ok, done.stdout
    return done.stdout


def test_installed_it_makes_a_study_and_runs_it(empty, tmp_path, built):
    (wheel,) = built.glob("tomobatch-*.whl")
    assert run(empty, tmp_path, "tomobatch", "--version").split() == [
        "tomobatch",
        wheel.name.split("-")[1],
    ]
    scan = ("--size", "48", "--rows", "12", "--angles", "60")
    run(empty, tmp_path, "tomobatch", "phantom", "tiny.h5", *scan)
    run(empty, tmp_path, "tomobatch", "init", "my study", "tiny.h5")
    said = run(empty, tmp_path / "my study", "tomobatch", "run", "--local")
    assert (tmp_path / "my study/results/tiny/report.html").is_file()
    assert "Centre of rotation" in said
    bare = tmp_path / "bare"
    bare.mkdir()
    assert "Centre of rotation" in run(empty, bare, "tomobatch", "demo", "../tiny.h5")
    assert "tiny.h5" in (bare / "config.yaml").read_text(encoding="utf-8")
    assert "reconstruct" in run(empty, bare, "tomobatch", "estimate", "../tiny.h5")


def test_the_page_of_the_plugin_alone_runs_as_it_is_written(empty, tmp_path, repository):
    text = (repository / PAGE).read_text(encoding="utf-8")
    snakefile = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    profile = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1]
    command = re.search(r"```\n(aws-batch-emulator .*?)\n```", text)[1]
    (tmp_path / "Snakefile").write_text(snakefile)
    (tmp_path / "profiles" / "batch").mkdir(parents=True)
    (tmp_path / "profiles" / "batch" / "config.yaml").write_text(profile)
    said = run(empty, tmp_path, *command.split())
    assert len(re.findall(r"Submitted 30 jobs of part", said)) == 1, said
