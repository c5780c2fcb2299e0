"""The container image, built and run for real: by anyone, with nothing writable but /tmp."""

import os
import shutil
import subprocess
import sys

import pytest
from tests.infrastructure.engine import NoEngine, running_engine
from tests.leaving_out import leave_out
from tests.workflow.conftest import make_tiny_scan
from tests.workflow.running import write_config

from aws_batch_emulator.client import start
from snakemake_executor_plugin_aws_batch_array.aws import make_client
from tomobatch.aws.account.deploy import deploy

IMAGE = "tomobatch-test:latest"
LARGEST = 1.2e9
ANYONE = "4711:4712"


@pytest.fixture(scope="module")
def engine(tmp_path_factory, repository):
    """An engine that holds the image, built from this checkout."""
    try:
        with running_engine(tmp_path_factory.mktemp("engine")) as engine:
            built = engine.docker(
                *("build", "--network", "host", "--build-arg", f"BASE_IMAGE={engine.base}"),
                *("--file", "docker/Dockerfile", "--tag", IMAGE, "."),
                check=False,
                cwd=repository,
            )
            assert built.returncode == 0, built.stdout[-4000:]
            yield engine
    except NoEngine as reason:
        leave_out(f"the container image is left out: {reason}")


def run(engine, *command, user=ANYONE):
    """Run a command as some user, with a read-only root and a /tmp that is empty."""
    return engine.docker(
        *("run", "--rm", "--network", "host", "--user", user, "--read-only"),
        *("--tmpfs", "/tmp:rw,exec,mode=1777", IMAGE, *command),
        check=False,
    )


def test_the_image_is_small(engine):
    size = int(engine.docker("image", "inspect", "--format", "{{.Size}}", IMAGE).stdout)
    assert size < LARGEST


def test_doctor_is_well_for_anyone(engine):
    done = run(engine, "tomobatch", "doctor", "--device", "cpu")
    assert done.returncode == 0, done.stdout
    assert "PoCL 6" in done.stdout
    assert "ok rows.cl, direct.cl 32 slices, transforms by VkFFT" in done.stdout
    assert "ok rows.cl, gridding.cl 16 slices, transforms by VkFFT" in done.stdout


def test_a_gpu_that_is_not_there_is_one_clear_line(engine):
    done = run(engine, "tomobatch", "doctor", "--device", "gpu")
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    assert line.startswith("error: device: gpu was asked for, but OpenCL lists no GPU here")


def test_nothing_but_tmp_is_writable(engine):
    script = (
        "for place in / /opt/tomobatch /etc /home /usr/local; do"
        ' if touch "$place/file" 2>/dev/null; then echo "$place"; fi; done;'
        " touch /tmp/file && id -u"
    )
    assert run(engine, "bash", "-c", script).stdout.split() == ["4711"]


def test_the_image_starts_as_nobody_in_particular(engine):
    shown = "{{.Config.User}} {{.Config.Entrypoint}} {{json .Config.Healthcheck}}"
    printed = engine.docker("image", "inspect", "--format", shown, IMAGE).stdout
    # A health check would run inside every long job.
    assert printed.split("\n")[0] == "1000:1000 [tini --] null"


def test_no_program_gives_a_user_more_rights(engine):
    # Root, who sees every folder.
    found = run(engine, "find", "/", "-xdev", "-type", "f", "-perm", "/6000", user="0:0")
    assert (found.returncode, found.stdout) == (0, "")


def test_no_tool_that_builds_packages_is_in_it(engine):
    tools = "/opt/tomobatch/lib/python3*/site-packages/{hatchling,trove_classifiers,pip,setuptools}"
    assert run(engine, "bash", "-c", f"ls -d {tools} 2>/dev/null").stdout == ""


def test_the_demo_in_containers(engine, tmp_path, repository, monkeypatch):
    """The aws profile on the real stacks; each child of the emulated Batch is a container."""
    for name, value in engine.environment.items():
        monkeypatch.setenv(name, value)
    for part in ("Snakefile", "rules", "scripts", "envs", "profiles", "docs/captions"):
        source, copy = repository / part, tmp_path / part
        copy.parent.mkdir(exist_ok=True)
        shutil.copytree(source, copy) if source.is_dir() else shutil.copy(source, copy)
    make_tiny_scan(tmp_path / "tiny.h5")
    with start(stack=None, children="docker") as emulator:
        for name, value in emulator.administrator.items():
            monkeypatch.setenv(name, value)
        outputs = deploy(
            make_client("cloudformation"), "tomobatch", {}, tell=lambda _: None, poll_s=0.0
        )
        engine.docker("tag", IMAGE, f"{outputs['RepositoryUri']}:0.2.0")
        bucket, s3 = outputs["DataBucket"], make_client("s3")
        s3.upload_file(str(tmp_path / "tiny.h5"), bucket, "scans/tiny.h5")
        write_config(
            tmp_path,
            scans={"tiny": f"s3://{bucket}/scans/tiny.h5"},
            chunks={"projections": 30, "slices": 8},
            volume={"levels": 2},
            reconstruct={"device": "cpu"},
        )
        done = subprocess.run(
            [sys.executable, "-m", "snakemake", "--profile", "profiles/aws"],
            cwd=tmp_path,
            env={**os.environ, "TOMOBATCH_STACK": "tomobatch", "TOMOBATCH_BUCKET": bucket},
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert done.returncode == 0, done.stdout[-6000:]
        statuses = {job["status"] for job in emulator.jobs()}
        assert statuses == {"SUCCEEDED"}
        found = s3.list_objects_v2(Bucket=bucket, Prefix="runs/results/tiny/")["Contents"]
    keys = {item["Key"].removeprefix("runs/results/tiny/") for item in found}
    shards = {f"volume.ome.zarr/{level}/c/{k}/0/0" for level in (0, 1) for k in (0, 1)}
    assert {"report.html", "calibration.json"} | shards <= keys
