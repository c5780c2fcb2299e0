"""Children as real containers, in an engine that is there or that the tests may start."""

import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path

import pytest

import aws_batch_emulator
from aws_batch_emulator import Fault, FaultKind

IMAGE = "aws-batch-emulator-test:latest"
COMMANDS = ("sh", "sleep", "id", "touch", "ls")


def engine_answers():
    return subprocess.run(["docker", "info"], capture_output=True).returncode == 0


@pytest.fixture(scope="module")
def engine():
    """A Docker engine: the one at hand, or one with a socket and a store of its own."""
    if shutil.which("docker") and engine_answers():
        yield
        return
    if shutil.which("dockerd") is None or os.geteuid() != 0:
        reason = "children in containers are left out: no Docker engine runs or can be started"
        leave_out = pytest.fail if os.environ.get("TOMOBATCH_LEAVE_NOTHING_OUT") else pytest.skip
        leave_out(reason)
    folder = Path(tempfile.mkdtemp(prefix="engine-"))
    options = ["--iptables=false", "--ip6tables=false", "--bridge=none"]
    options += ["--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec"]
    options += ["--host", f"unix://{folder}/sock", "--pidfile", f"{folder}/pid"]
    with (folder / "log").open("wb") as log, pytest.MonkeyPatch.context() as patch:
        daemon = subprocess.Popen(["dockerd", *options], stdout=log, stderr=log)
        patch.setenv("DOCKER_HOST", f"unix://{folder}/sock")
        try:
            deadline = time.monotonic() + 60
            while not engine_answers():
                assert time.monotonic() < deadline, (folder / "log").read_text()
                assert daemon.poll() is None, (folder / "log").read_text()
                time.sleep(0.1)
            yield
        finally:
            daemon.terminate()
            daemon.wait(timeout=30)
            # The engine leaves its name space of the host's network mounted.
            subprocess.run(["umount", folder / "exec/netns/default"], capture_output=True)
            shutil.rmtree(folder)


@pytest.fixture(scope="module")
def image(engine, tmp_path_factory):
    """The smallest image with a shell: a few commands of this machine and their libraries."""
    files = {}
    for command in COMMANDS:
        path = Path(shutil.which(command)).resolve()
        files[f"bin/{command}"] = path
        listing = subprocess.check_output(["ldd", path], text=True)
        for word in listing.split():
            if word.startswith("/"):
                files[word.lstrip("/")] = Path(word).resolve()
    archive = tmp_path_factory.mktemp("image") / "root.tar"
    with tarfile.open(archive, "w") as tar:
        for name, path in files.items():
            tar.add(path, arcname=name)
    subprocess.run(["docker", "import", archive, IMAGE], check=True, capture_output=True)
    yield IMAGE
    subprocess.run(["docker", "rmi", "--force", IMAGE], check=True, capture_output=True)


@pytest.fixture(scope="module")
def containers(image, shared_account):
    with aws_batch_emulator.start(children="docker", slots=3, grace_s=1, log_lag_s=0) as emulator:
        account = type(shared_account)(emulator)
        properties = {"image": image, "vcpus": 1, "memory": 64}
        define(account, "plain", properties)
        define(account, "absent", {**properties, "image": "absent:latest"})
        scratch = {"name": "scratch", "host": {"sourcePath": "/var/scratch"}}
        mount = {"sourceVolume": "scratch", "containerPath": "/tmp", "readOnly": False}
        strict = {"user": "1000:1000", "readonlyRootFilesystem": True}
        define(
            account,
            "strict",
            {**properties, **strict, "volumes": [scratch], "mountPoints": [mount]},
        )
        yield account
    names = ["docker", "ps", "--all", "--filter", "name=aws-batch-emulator", "--quiet"]
    assert subprocess.check_output(names) == b""


def define(account, name, properties):
    account.batch.register_job_definition(
        jobDefinitionName=name, type="container", containerProperties=properties
    )


def run(account, script, definition="plain", **request):
    return account.run("sh", "-c", script, jobDefinition=definition, **request)


def test_an_array_of_containers(containers):
    script = "echo $AWS_BATCH_JOB_ARRAY_INDEX $AWS_ENDPOINT_URL; exit $AWS_BATCH_JOB_ARRAY_INDEX"
    parent = run(containers, script, arrayProperties={"size": 2})
    children = containers.children(parent["jobId"], 2)
    assert [child["container"]["exitCode"] for child in children] == [0, 1]
    url = containers.emulator.endpoint_url
    assert [containers.log(child) for child in children] == [[f"0 {url}"], [f"1 {url}"]]


def test_user_root_file_system_and_volume_of_the_definition(containers):
    job = run(containers, "id -u; touch /tmp/file && ls /tmp; touch /file", "strict")
    # Docker reads standard output and standard error by two pipes: their order is not kept.
    complaint, *printed = sorted(containers.log(job), key=lambda line: line in ("1000", "file"))
    assert printed == ["1000", "file"]
    assert "Read-only file system" in complaint


def test_sigterm_reaches_the_command(containers):
    script = "trap 'echo bye; exit 5' TERM; echo ready; while true; do sleep 0.05; done"
    job_id = containers.submit("sh", "-c", script, jobDefinition="plain")
    containers.wait_for_log(job_id, "ready")
    containers.batch.terminate_job(jobId=job_id, reason="enough")
    job = containers.wait(job_id)
    assert job["container"]["exitCode"] == 5
    assert containers.log(job) == ["ready", "bye"]


@pytest.mark.parametrize(
    ("kind", "exit_code"), [(FaultKind.RECLAIM, None), (FaultKind.OUT_OF_MEMORY, 137)]
)
def test_faults_kill_the_container(containers, kind, exit_code):
    containers.emulator.inject(Fault(kind))
    job = run(containers, "sleep 30")
    assert (job["status"], job["container"].get("exitCode")) == ("FAILED", exit_code)


def test_a_frozen_container_is_killed_after_the_time_of_grace(containers):
    containers.emulator.inject(Fault(FaultKind.HANG))
    job_id = containers.submit("sleep", "30", jobDefinition="plain")
    while not containers.emulator.faults()[-1]["struck"]:
        time.sleep(0.02)
    containers.batch.terminate_job(jobId=job_id, reason="hangs")
    assert containers.wait(job_id)["container"]["exitCode"] == 137


@pytest.mark.parametrize(
    ("definition", "command", "reason"),
    [
        ("absent", "true", "CannotPullContainerError"),
        ("plain", "no-such-command", "CannotStartContainerError"),
    ],
)
def test_what_cannot_start_says_so(containers, definition, command, reason):
    job = containers.run(command, jobDefinition=definition)
    assert job["statusReason"] == "Task failed to start"
    assert job["container"]["reason"].startswith(reason)


def test_the_process_of_a_live_container_is_named(containers):
    job_id = containers.submit("sleep", "30", jobDefinition="plain")
    containers.wait(job_id, "RUNNING")
    (live,) = containers.emulator.live_jobs()
    assert Path(f"/proc/{live['pid']}/cmdline").read_bytes() == b"sleep\x0030\x00"
    containers.batch.terminate_job(jobId=job_id, reason="enough")
    containers.wait(job_id)
