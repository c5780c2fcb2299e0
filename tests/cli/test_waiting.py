"""Why jobs wait is said where a user looks, also where Batch does not say it."""

import json
import re
import time

import pytest
from tests.cli.calling import tomobatch
from tests.cli.conftest import set_environment
from tests.cli.submitting import command_list, submit
from tests.deployed import BUCKET

import aws_batch_emulator
from aws_batch_emulator import Fault
from tomobatch.aws.account.quotas import QUOTAS
from tomobatch.aws.runs.place import find_place
from tomobatch.cli.shared.quotas import warn_of_quotas

NO_GPU = "the account may start 0 vCPUs of GPU spot machines in eu-central-1 and 0 of on-demand"
NO_CPU = NO_GPU.replace("GPU", "CPU")


def waits(run, n_reasons):
    """Return why a run waits, once all its jobs are listed."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        state = json.loads(tomobatch("status", run, "--json").out)
        if any(step["queued"] for step in state["steps"]) and len(state["waiting"]) == n_reasons:
            break
    return state["waiting"]


@pytest.fixture
def starved(monkeypatch):
    """A new account, which may start no machine at all."""
    quotas = dict.fromkeys(QUOTAS.values(), 0)
    with aws_batch_emulator.start(bucket=BUCKET, quotas=quotas) as emulator:
        set_environment(monkeypatch, emulator)
        yield emulator


def test_a_quota_of_0_is_named_by_run_and_status(starved, workplace, monkeypatch):
    monkeypatch.chdir(workplace.folder)
    said = tomobatch("run", "scans/tiny.h5", "--name", "new", "--detach", "--queue", "gpu")
    assert said.code == 0, said
    assert NO_GPU in said.err and NO_CPU in said.err
    text = " ".join(tomobatch("status", "new").out.split())
    assert "new running" in text
    assert f"{NO_CPU} ones: no CPU job can start; ask for more: https://" in text
    # No job waits for a GPU yet.
    assert "GPU" not in text
    submit(find_place(), command_list("reconstruct", 2, run="new", queue="tomobatch-gpu"))
    waiting = waits("new", n_reasons=2)
    assert [line.partition(" in ")[0] for line in waiting] == [
        f"the account may start 0 vCPUs of {kind} spot machines" for kind in ("GPU", "CPU")
    ]


@pytest.mark.parametrize(
    ("home", "kinds", "detached_kinds"),
    [
        ("cpu", ["CPU"], ["CPU"]),
        ("gpu", ["CPU", "GPU"], ["CPU", "GPU"]),
        ("fargate", ["Fargate"], ["CPU", "Fargate"]),
        (None, ["CPU", "GPU"], ["CPU", "GPU"]),
    ],
)
def test_a_plan_is_warned_of_the_machines_that_it_takes(
    starved, capsys, home, kinds, detached_kinds
):
    for detached, expected in ((False, kinds), (True, detached_kinds)):
        warn_of_quotas(home, detached=detached)
        told = capsys.readouterr().err
        assert re.findall(r"may start 0 vCPUs of (\w+) spot machines", told) == expected
        assert ("/services/fargate/quotas/L-36FBB829" in told) == (home == "fargate")


@pytest.mark.parametrize("reason", ["UNDETERMINED - Batch job is blocked", ""])
def test_what_batch_says_is_passed_on(emulator, reason):
    emulator.inject(Fault("slow-start", match="waits-process-*", count=None, reason=reason))
    place = find_place()
    job_id = submit(place, command_list("process", 3, run="waits"))
    waiting = waits("waits", n_reasons=1 if reason else 0)
    place.batch.terminate(job_id, "end of the test")
    emulator.wait_until_idle()
    assert waiting == ([f"process waits for a machine: {reason}"] if reason else [])
