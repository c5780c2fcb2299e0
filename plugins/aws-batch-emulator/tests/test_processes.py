"""Children as processes: private, contained, gone when they are over."""

import json
import os
import time
from datetime import datetime
from pathlib import Path

import pytest

from aws_batch_emulator import Fault, FaultKind

SPAWN_ESCAPED = """
import subprocess, sys, time
child = subprocess.Popen(["sleep", "30"], start_new_session=True)
print(child.pid, flush=True)
time.sleep(float(sys.argv[1]))
"""

SPAWN_ON_AND_ON = """
import os, subprocess
os.fork() or os.setsid()
print("on", flush=True)
while True:
    subprocess.Popen(["sleep", "60"], start_new_session=True)
"""


def is_running(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def gone(pid):
    deadline = time.monotonic() + 15
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_running(pid)


def test_the_directory_is_private_writable_and_removed(account):
    parent = account.run("sh", "-c", "pwd; ls; touch file; ls", arrayProperties={"size": 2})
    logs = [account.log(child) for child in account.children(parent["jobId"], 2)]
    directories = {log[0] for log in logs}
    assert [log[1:] for log in logs] == [["file"], ["file"]]
    assert len(directories) == 2
    assert not any(Path(directory).exists() for directory in directories)


def test_the_callers_environment_stays_outside(account, monkeypatch):
    job = account.run("sh", "-c", "echo ${PYTEST_CURRENT_TEST-absent}; test $HOME = $PWD")
    assert os.environ["PYTEST_CURRENT_TEST"]
    assert account.log(job) == ["absent"]
    assert job["status"] == "SUCCEEDED"


def test_python_is_the_one_that_runs_the_emulator(account):
    job = account.run("python", "-c", "import sys; print(sys.prefix)")
    assert account.log(job) == [__import__("sys").prefix]


def test_logs_are_written_while_the_child_runs_with_both_streams_in_order(account):
    script = "echo one; echo two >&2; printf three; while true; do sleep 0.05; done"
    job_id = account.submit("sh", "-c", script)
    account.wait_for_log(job_id, "two")
    account.batch.terminate_job(jobId=job_id, reason="enough")
    assert account.log(account.wait(job_id)) == ["one", "two", "three"]


def test_log_group_and_prefix_of_the_definition(account):
    options = {"awslogs-group": "/own/group", "awslogs-stream-prefix": "own"}
    account.batch.register_job_definition(
        jobDefinitionName="own-log",
        type="container",
        containerProperties={
            "image": "image",
            "vcpus": 1,
            "memory": 64,
            "logConfiguration": {"logDriver": "awslogs", "options": options},
        },
    )
    job = account.run("echo", "hello", jobDefinition="own-log")
    assert job["container"]["logStreamName"].startswith("own/default/")
    assert account.log(job, "/own/group") == ["hello"]


def test_a_default_stream_has_the_definitions_name_and_the_task(account):
    job = account.run("true")
    task_id = job["container"]["taskArn"].rpartition("/")[2]
    assert job["container"]["logStreamName"] == f"tomobatch-cpu/default/{task_id}"


@pytest.mark.parametrize("seconds", ["0.1", "30"], ids=["ends by itself", "is terminated"])
def test_what_a_child_started_ends_with_it_even_out_of_its_group(account, seconds):
    job_id = account.submit("python", "-c", SPAWN_ESCAPED, seconds)
    job = account.wait(job_id, "RUNNING", "SUCCEEDED")
    deadline = time.monotonic() + 60
    while not (lines := account.log(job)):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    if seconds == "30":
        account.batch.terminate_job(jobId=job_id, reason="enough")
    account.wait(job_id)
    assert gone(int(lines[0]))


def test_nothing_is_left_of_a_child_that_was_starting_processes_when_it_was_killed(account):
    job_id = account.submit("python", "-c", SPAWN_ON_AND_ON)
    account.wait_for_log(job_id, "on")
    (live,) = account.emulator.live_jobs()
    home = Path(f"/proc/{live['pid']}/cwd").readlink()
    account.emulator.inject(Fault(FaultKind.OUT_OF_MEMORY))
    # Whatever holds the output of a child also holds up its end.
    account.wait(job_id)
    assert not home.exists()
    assert [pid for pid in Path("/proc").glob("[0-9]*") if lives_in(pid, home)] == []


def lives_in(process, folder):
    try:
        return str(folder) in str((process / "cwd").readlink())
    except OSError:
        return False


def test_live_jobs_name_the_processes(account):
    job_id = account.submit("sleep", "30")
    account.wait(job_id, "RUNNING")
    (live,) = account.emulator.live_jobs()
    assert live["jobId"] == job_id
    assert Path(f"/proc/{live['pid']}/comm").read_text().strip() == "sleep"
    account.batch.terminate_job(jobId=job_id, reason="enough")
    account.wait(job_id)
    assert account.emulator.live_jobs() == []
    assert gone(live["pid"])


def test_a_reclaimed_child_is_killed_at_once(account):
    job_id = account.submit("sh", "-c", "trap '' TERM; while true; do sleep 0.05; done")
    account.wait(job_id, "RUNNING")
    (live,) = account.emulator.live_jobs()
    account.emulator.inject(Fault(FaultKind.RECLAIM))
    account.wait(job_id)
    assert gone(live["pid"])


METADATA = """
import os, urllib.request
base = os.environ["AWS_EC2_METADATA_SERVICE_ENDPOINT"] + "latest/"
headers = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
put = urllib.request.Request(base + "api/token", method="PUT", headers=headers)
token = urllib.request.urlopen(put).read().decode()
def item(name):
    request = urllib.request.Request(base + "meta-data/" + name)
    request.add_header("X-aws-ec2-metadata-token", token)
    return urllib.request.urlopen(request).read().decode()
for name in ("instance-type", "placement/availability-zone", "instance-life-cycle", "instance-id"):
    print(item(name))
document = urllib.request.Request(base + "dynamic/instance-identity/document")
document.add_header("X-aws-ec2-metadata-token", token)
print(urllib.request.urlopen(document).read().decode())
"""


def test_a_child_learns_about_its_machine(account):
    job = account.run("python", "-c", METADATA, jobQueue="tomobatch-gpu")
    instance_type, zone, market, instance_id, document = account.log(job)
    identity = json.loads(document)
    assert (identity["instanceType"], identity["instanceId"]) == (instance_type, instance_id)
    launched_s = datetime.fromisoformat(identity["pendingTime"]).timestamp()
    # It may have served other tests before.
    assert job["startedAt"] / 1000 - 3600 < launched_s <= job["startedAt"] / 1000
    assert instance_type in ("g5.xlarge", "g6.xlarge")
    assert zone in ("eu-central-1a", "eu-central-1b", "eu-central-1c")
    assert market == "spot"
    assert job["container"]["containerInstanceArn"].endswith(instance_id)


def test_a_child_has_the_variables_that_batch_and_ecs_give_it(account):
    """Batch user guide, "Job environment variables"; ECS developer guide, "Task metadata"."""
    job = account.run("sh", "-c", "env | grep -E '^(AWS|ECS)' | cut -d= -f1 | sort")
    assert account.log(job) == [
        "AWS_BATCH_CE_NAME",
        "AWS_BATCH_JOB_ATTEMPT",
        "AWS_BATCH_JOB_ID",
        "AWS_BATCH_JQ_NAME",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        "AWS_ENDPOINT_URL",
        "AWS_EXECUTION_ENV",
        "AWS_REGION",
        "ECS_CONTAINER_METADATA_URI_V4",
    ]


def test_the_task_is_told_by_its_metadata(account):
    script = (
        "import os, urllib.request; "
        "url = os.environ['ECS_CONTAINER_METADATA_URI_V4'] + '/task'; "
        "print(urllib.request.urlopen(url).read().decode())"
    )
    job = account.run("python", "-c", script)
    (line,) = account.log(job)
    task_id = job["container"]["taskArn"].rpartition("/")[2]
    assert json.loads(line)["TaskARN"].endswith(f"/{task_id}")
