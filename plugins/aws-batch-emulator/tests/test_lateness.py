"""What comes late and what is forgotten: AWS promises nothing else."""

import time

QUEUE = {"jobQueue": "tomobatch-cpu"}
DAY_S = 24 * 3600


def listed(account, **request):
    return [job["jobId"] for job in account.batch.list_jobs(**request)["jobSummaryList"]]


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_list_lags_behind_submissions_and_behind_descriptions(new_account):
    account = new_account(lag_s=600)
    named = {**QUEUE, "filters": [{"name": "JOB_NAME", "values": ["late"]}]}
    parent = account.submit("true", name="late", arrayProperties={"size": 2})
    assert listed(account, **named) == []
    described = account.wait(parent)
    assert described["arrayProperties"]["statusSummary"]["SUCCEEDED"] == 2
    done = {"arrayJobId": parent, "jobStatus": "SUCCEEDED"}
    assert listed(account, **done) == []
    account.emulator.turn_clock(601)
    assert listed(account, **done) == [f"{parent}:0", f"{parent}:1"]
    assert listed(account, **named) == [parent]


def test_a_log_comes_late_and_in_order(new_account):
    account = new_account(log_lag_s=8)
    job = account.run("sh", "-c", "echo one; echo two")
    assert account.log(job) == []
    wait_for(lambda: account.log(job) == ["one", "two"])


def test_jobs_are_forgotten_after_seven_days(new_account):
    """Batch user guide, "Job states"."""
    account = new_account()
    parent = account.run("true", arrayProperties={"size": 2})["jobId"]
    running = account.submit("sleep", "60")
    account.wait(running, "RUNNING")
    account.emulator.turn_clock(6.9 * DAY_S)
    assert len(account.children(parent, 2)) == 2
    account.emulator.turn_clock(0.2 * DAY_S)
    assert account.children(parent, 2) == []
    assert listed(account, **QUEUE, jobStatus="SUCCEEDED") == []
    assert listed(account, arrayJobId=parent, jobStatus="SUCCEEDED") == []
    assert account.describe(running)["status"] == "RUNNING"
