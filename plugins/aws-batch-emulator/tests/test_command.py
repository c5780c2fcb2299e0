"""The `aws-batch-emulator` command, the stacks it makes, and how it ends."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aws_batch_emulator import Emulator, EmulatorError
from aws_batch_emulator.cli import main

COMMAND = [sys.executable, "-m", "aws_batch_emulator"]


def run(*words, environment=None):
    return subprocess.run(
        [*COMMAND, *words],
        capture_output=True,
        text=True,
        env={**os.environ, **(environment or {})},
        timeout=60,
    )


def answers(emulator):
    try:
        emulator.calls()
    except EmulatorError:
        return False
    return True


def test_stacks_have_the_outputs_of_a_deployment(account):
    described = account.client("cloudformation").describe_stacks()["Stacks"]
    outputs = {
        stack["StackName"]: {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}
        for stack in described
    }
    assert set(outputs) == {f"tomobatch-{name}" for name in ("storage", "iam", "ecr", "batch")}
    everything = {key: value for stack in outputs.values() for key, value in stack.items()}
    arn = "arn:aws:batch:eu-central-1:123456789012"
    assert everything["DataBucket"] == "tomobatch-data"
    assert everything["LogGroup"] == "/aws/batch/job"
    assert everything["CpuJobQueue"] == f"{arn}:job-queue/tomobatch-cpu"
    assert everything["GpuJobQueue"] == f"{arn}:job-queue/tomobatch-gpu"
    for kind in ("Cpu", "Gpu", "Head"):
        definition = f"{arn}:job-definition/tomobatch-{kind.lower()}:1"
        assert everything[f"{kind}JobDefinition"] == definition
    assert everything["JobRole"].endswith(":role/tomobatch-job")
    assert everything["RepositoryUri"].endswith("/tomobatch")


def test_what_is_not_installed_is_named(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "aws_batch_emulator.server", None)
    monkeypatch.setattr("aws_batch_emulator.cli.UNSET", ())
    assert main(["serve", "--port", "0"]) != 0
    said = capsys.readouterr().err
    assert "is not installed: it comes with `pip install aws-batch-emulator`" in said
    assert said.count("\n") == 1


def test_run_gives_the_command_an_account_and_returns_its_exit_code():
    script = "env | grep ^AWS_; exit 7"
    done = run("run", "--no-stack", "--", "sh", "-c", script, environment={"AWS_PROFILE": "mine"})
    assert done.returncode == 7, done.stderr
    variables = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert variables["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert "AWS_PROFILE" not in variables
    assert not answers(Emulator(variables["AWS_ENDPOINT_URL"], "eu-central-1"))


ENDS_ON_CTRL_C = """
import os, signal, sys
from aws_batch_emulator import Emulator

def end(*_):
    Emulator(os.environ["AWS_ENDPOINT_URL"], "eu-central-1").calls()
    sys.exit(9)

signal.signal(signal.SIGINT, end)
print("ready", flush=True)
signal.pause()
"""


def test_the_emulator_is_there_until_the_command_has_dealt_with_ctrl_c():
    run_ = subprocess.Popen(
        [*COMMAND, "run", "--no-stack", "--", sys.executable, "-c", ENDS_ON_CTRL_C],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    with run_, run_.stdout:
        assert run_.stdout.readline() == b"ready\n"
        os.killpg(run_.pid, signal.SIGINT)
        assert run_.wait(timeout=60) == 9


def test_start_can_be_evaluated_and_controlled_and_stopped():
    started = run("start", "--no-stack", "--region", "us-west-2")
    shell = started.stdout + "printenv AWS_ENDPOINT_URL AWS_REGION"
    url, region = subprocess.check_output(["sh", "-c", shell], text=True).split()
    assert region == "us-west-2"
    environment = {"AWS_ENDPOINT_URL": url}
    emulator = Emulator(url, region)
    try:
        set_ = run("fault", "throttle", "--match", "s3:*", "--count", "0", environment=environment)
        assert set_.returncode == 0, set_.stderr
        (fault,) = emulator.faults()
        assert (fault["kind"], fault["match"], fault["count"]) == ("throttle", "s3:*", None)
        assert run("calls", environment=environment).stdout == ""
        assert run("live", environment=environment).stdout == ""
    finally:
        assert run("stop", environment=environment).returncode == 0
    deadline = time.monotonic() + 60
    while answers(emulator):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_serve_ends_on_a_signal_and_leaves_no_process_and_no_file():
    server = subprocess.Popen([*COMMAND, "serve", "--json"], stdout=subprocess.PIPE)
    with server, server.stdout:
        settings = json.loads(server.stdout.readline())
        emulator = Emulator(settings["AWS_ENDPOINT_URL"], "eu-central-1")
        aws = {**os.environ, **settings}
        submit = (
            "import boto3; boto3.client('batch').submit_job(jobName='j', "
            "jobQueue='tomobatch-cpu', jobDefinition='tomobatch-cpu', "
            "containerOverrides={'command': ['sleep', '30']})"
        )
        subprocess.run([sys.executable, "-c", submit], env=aws, check=True)
        while not (pids := [job["pid"] for job in emulator.live_jobs() if job["pid"]]):
            time.sleep(0.02)
        scratch = Path(f"/proc/{pids[0]}/cwd").readlink().parent
        assert scratch.exists()
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=60) == 0
    assert not Path(f"/proc/{pids[0]}").exists()
    assert not scratch.exists()


def test_an_emulator_ends_with_the_process_that_started_it():
    script = (
        "import aws_batch_emulator, os, signal\n"
        "emulator = aws_batch_emulator.start(stack=None)\n"
        "print(emulator.endpoint_url, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    starter = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    emulator = Emulator(starter.stdout.strip(), "eu-central-1")
    deadline = time.monotonic() + 60
    while answers(emulator):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["serve", "--slots", "0"], "slots must be at least 1"),
        (["serve", "--children", "nothing"], "children must be"),
        (["serve", "--children", "no_module:f"], "No module named"),
        (["serve", "--bucket", "B"], "cannot create stack"),
        (["live", "--endpoint-url", ""], "which emulator"),
        (["live", "--endpoint-url", "http://127.0.0.1:9"], "no emulator"),
    ],
)
def test_a_mistake_is_one_line(words, message):
    done = run(*words)
    assert done.returncode == 1
    assert done.stdout == ""
    last = done.stderr.splitlines()[-1]
    assert last.startswith("aws-batch-emulator: ")
    assert message in last
    assert "Traceback" not in done.stderr
