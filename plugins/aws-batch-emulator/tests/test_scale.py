"""Big arrays are cheap, and few children run at once."""

import threading
import time
from pathlib import Path

import pytest

import aws_batch_emulator
from aws_batch_emulator import Fault, FaultKind


@pytest.fixture(scope="module")
def instant(shared_account):
    with aws_batch_emulator.start(children="instant") as emulator:
        yield type(shared_account)(emulator)


def threads_of(pid):
    with Path(f"/proc/{pid}/status").open() as status:
        return int(next(line for line in status if line.startswith("Threads")).split()[1])


def test_ten_thousand_children_finish_at_once(instant):
    parent_id = instant.submit("no-such-command", arrayProperties={"size": 10_000})
    parent = instant.wait(parent_id)
    assert parent["status"] == "SUCCEEDED"
    assert parent["arrayProperties"]["statusSummary"]["SUCCEEDED"] == 10_000

    def n_listed():
        pages = instant.batch.get_paginator("list_jobs").paginate(
            arrayJobId=parent_id, jobStatus="SUCCEEDED"
        )
        return sum(len(page["jobSummaryList"]) for page in pages)

    # A listing is a little late.
    until = time.monotonic() + 30
    while n_listed() < 10_000 and time.monotonic() < until:
        time.sleep(0.1)
    assert n_listed() == 10_000
    assert instant.describe(f"{parent_id}:9999")["container"]["exitCode"] == 0


@pytest.mark.parametrize("fails", [False, True])
def test_a_sequence_of_ten_thousand(instant, fails):
    if fails:
        instant.emulator.inject(Fault(FaultKind.CANNOT_PULL, match="sequence", index=0))
    parent_id = instant.submit(
        "true",
        name="sequence",
        arrayProperties={"size": 10_000},
        dependsOn=[{"type": "SEQUENTIAL"}],
    )
    parent = instant.wait(parent_id)
    outcome = "FAILED" if fails else "SUCCEEDED"
    assert parent["arrayProperties"]["statusSummary"][outcome] == 10_000


def test_waiting_children_cost_no_threads(account):
    pid = account.emulator._server.pid
    before = threads_of(pid)
    parent_id = account.submit("sleep", "30", arrayProperties={"size": 10_000})
    account.wait(f"{parent_id}:5", "RUNNING")
    # Six slots, with one thread for the exit and one for the output of each.
    assert threads_of(pid) - before <= 14
    account.batch.terminate_job(jobId=parent_id, reason="enough")
    parent = account.wait(parent_id)
    assert parent["arrayProperties"]["statusSummary"]["FAILED"] == 10_000


def test_each_queue_has_its_own_slots(account):
    cpu = account.submit("sleep", "30", arrayProperties={"size": 7})
    gpu = account.submit("sleep", "30", jobQueue="tomobatch-gpu", arrayProperties={"size": 7})
    running = {f"{parent}:{index}" for parent in (cpu, gpu) for index in range(6)}
    deadline = time.monotonic() + 60
    while (
        now := {j["jobId"] for j in account.emulator.live_jobs() if j["status"] == "RUNNING"}
    ) != running:
        assert time.monotonic() < deadline, now
        time.sleep(0.02)


def test_many_clients_at_once(account):
    """Submissions from many threads all arrive, each once."""
    ids = []

    def submit_some():
        ids.extend(account.submit("true", name="from-threads") for _ in range(5))

    account.client("batch")
    threads = [threading.Thread(target=submit_some) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    account.emulator.wait_until_idle()
    jobs = [job for job in account.emulator.jobs() if job["jobName"] == "from-threads"]
    assert sorted(job["jobId"] for job in jobs) == sorted(ids)
    assert {(job["status"], job["attempts"]) for job in jobs} == {("SUCCEEDED", 1)}
