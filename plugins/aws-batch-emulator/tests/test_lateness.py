"""What comes late, in pages or not at all: AWS promises nothing else."""

import json
import time

import pytest

from aws_batch_emulator import EmulatorError, Fault, FaultKind, Settings

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


def test_an_array_lags_behind_its_children(new_account):
    """API reference, ArrayPropertiesDetail: the summary has a time of its own last update."""
    account = new_account(summary_lag_s=600, lag_s=0)
    parent = account.submit("true", arrayProperties={"size": 2})
    for child in range(2):
        account.wait(f"{parent}:{child}")
    late = account.describe(parent)
    assert late["status"] == "SUBMITTED"
    assert late["arrayProperties"]["statusSummary"]["SUBMITTED"] == 2
    assert "stoppedAt" not in late
    account.emulator.turn_clock(601)
    told = account.describe(parent)
    assert told["status"] == "SUCCEEDED"
    assert told["arrayProperties"]["statusSummary"]["SUCCEEDED"] == 2
    updated_ms = told["arrayProperties"]["statusSummaryLastUpdatedAt"]
    assert updated_ms <= told["stoppedAt"]


def test_a_log_comes_late_and_in_order(new_account):
    account = new_account(log_lag_s=3)
    job = account.run("sh", "-c", "echo one; echo two")
    wait_for(lambda: account.log(job) == ["one", "two"])
    assert time.time() >= job["startedAt"] / 1000 + 3


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


def test_by_default_lists_and_logs_are_a_little_late(new_account):
    """The times are bounded from below alone, as a busy machine may ask too late to see nothing."""
    account = new_account()
    settings = Settings()
    assert all(
        0 < lag_s < 5 for lag_s in (settings.lag_s, settings.summary_lag_s, settings.log_lag_s)
    )
    job_id = account.submit("echo", "late", name="late")
    named = [{"name": "JOB_NAME", "values": ["late"]}]
    wait_for(lambda: listed(account, **QUEUE, filters=named) == [job_id])
    listed_s = time.time()
    job = account.wait(job_id)
    assert listed_s >= job["createdAt"] / 1000 + settings.lag_s
    wait_for(lambda: account.log(job) == ["late"])
    assert time.time() >= job["startedAt"] / 1000 + settings.log_lag_s


def test_lags_are_set_for_a_while(account):
    with account.emulator.lagging(lists_s=600, arrays_s=600, logs_s=600):
        parent = account.submit("echo", "late", name="for-a-while", arrayProperties={"size": 2})
        account.wait(f"{parent}:0")
        assert account.describe(parent)["status"] == "SUBMITTED"
        named = {**QUEUE, "filters": [{"name": "JOB_NAME", "values": ["for-a-while"]}]}
        assert listed(account, **named) == []
    assert account.wait(parent)["status"] == "SUCCEEDED"
    assert listed(account, **named) == [parent]
    assert account.log(account.describe(f"{parent}:0")) == []
    with pytest.raises(EmulatorError, match="no lag of lists_s, arrays_s, logs_s"):
        account.emulator.lagging(list_s=1).__enter__()


def test_a_log_is_read_in_pages(account):
    """API reference, GetLogEvents: a page may hold fewer events than there are."""
    job = account.run("sh", "-c", "seq 250")
    lines, request = [], {}
    for _ in range(4):
        page = account.client("logs").get_log_events(
            logGroupName="/aws/batch/job",
            logStreamName=job["container"]["logStreamName"],
            startFromHead=True,
            **request,
        )
        lines.append([event["message"] for event in page["events"]])
        request = {"nextToken": page["nextForwardToken"]}
    assert [len(each) for each in lines] == [100, 100, 50, 0]
    assert [line for page in lines for line in page] == [str(n) for n in range(1, 251)]


@pytest.mark.parametrize("reason", ["UNDETERMINED - Batch job is blocked", "", None])
def test_the_reason_stands_on_the_head_of_the_queue_alone(account, reason):
    """User guide, "Job queue blocked events": the job at the head is looked at, no other."""
    account.emulator.inject(Fault(FaultKind.SLOW_START, count=3, reason=reason))
    parent = account.submit("true", arrayProperties={"size": 2})
    after = account.submit("true")
    said = [
        job.get("statusReason") for job in (*account.children(parent, 2), account.describe(after))
    ]
    if reason is None:
        assert said.pop(0).startswith("MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT")
    else:
        assert said.pop(0) == (reason or None)
    assert said == [None, None]
    account.batch.terminate_job(jobId=parent, reason="enough")
    account.wait(parent)
    assert bool(account.describe(after).get("statusReason")) == (reason != "")


def test_a_quota_of_0_keeps_jobs_waiting_without_a_reason(new_account):
    """User guide, "Jobs stuck in a RUNNABLE status": quotas of EC2 have no reason of Batch's."""
    gpu_spot = "L-3819A6DF"
    account = new_account(quotas={gpu_spot: 0})
    quota = account.client("service-quotas").get_service_quota(
        ServiceCode="ec2", QuotaCode=gpu_spot
    )
    assert quota["Quota"]["Value"] == 0
    waits = account.submit("true", jobQueue="tomobatch-gpu", jobDefinition="tomobatch-gpu")
    assert account.run("true")["status"] == "SUCCEEDED"
    job = account.describe(waits)
    assert (job["status"], job.get("statusReason")) == ("RUNNABLE", None)
    account.batch.terminate_job(jobId=waits, reason="enough")
    assert account.wait(waits)["status"] == "FAILED"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("MEMORY", 10 * 1024 * 1024),
        # All that a m7a.48xlarge has, of which the system keeps a part.
        ("MEMORY", 768 * 1024),
        ("GPU", 1),
        ("VCPU", 193),
    ],
)
def test_a_job_that_no_machine_holds_waits_and_so_do_those_behind_it(account, kind, value):
    """User guide, "Job queue blocked events": the head of a queue blocks what comes after it."""
    needs = [{"type": kind, "value": str(value)}]
    large = account.submit("true", containerOverrides={"resourceRequirements": needs})
    behind = account.submit("true")
    elsewhere = account.run("true", jobQueue="tomobatch-gpu", jobDefinition="tomobatch-gpu")
    assert elsewhere["status"] == "SUCCEEDED"
    head, after = account.describe(large), account.describe(behind)
    assert [job["status"] for job in (head, after)] == ["RUNNABLE", "RUNNABLE"]
    assert head["statusReason"].startswith("MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT")
    assert "statusReason" not in after
    account.batch.cancel_job(jobId=large, reason="enough")
    assert account.wait(behind)["status"] == "SUCCEEDED"


def test_a_job_of_more_vcpus_than_its_environment_may_have_waits(account):
    """User guide, "Job queue blocked events": an environment has its own limit, `maxvCpus`."""
    (offered,) = account.batch.describe_compute_environments(computeEnvironments=["tomobatch-cpu"])[
        "computeEnvironments"
    ]
    account.batch.create_compute_environment(
        computeEnvironmentName="small",
        type="MANAGED",
        state="ENABLED",
        serviceRole=offered["serviceRole"],
        computeResources={**offered["computeResources"], "maxvCpus": 4},
    )
    order = [{"order": 1, "computeEnvironment": "small"}]
    account.batch.create_job_queue(
        jobQueueName="small", state="ENABLED", priority=1, computeEnvironmentOrder=order
    )
    needs = [{"type": "VCPU", "value": "8"}]
    job_id = account.submit(
        "true", jobQueue="small", containerOverrides={"resourceRequirements": needs}
    )
    job = account.describe(job_id)
    assert job["statusReason"].startswith("MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE")
    account.batch.cancel_job(jobId=job_id, reason="enough")
    assert account.wait(job_id)["status"] == "FAILED"


def test_a_queue_ends_a_wait_that_it_limits_and_lets_the_next_go_on(new_account):
    """API reference, JobStateTimeLimitAction: jobs at the head, cancelled with the reason given."""
    account = new_account(timeout_scale=0.001)
    reason = "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT"
    order = [{"Order": 1, "ComputeEnvironment": "tomobatch-cpu"}]
    limit = {"State": "RUNNABLE", "Reason": reason, "MaxTimeSeconds": 600, "Action": "CANCEL"}
    queue = {
        "Type": "AWS::Batch::JobQueue",
        "Properties": {
            "JobQueueName": "patient",
            "Priority": 1,
            "ComputeEnvironmentOrder": order,
            "JobStateTimeLimitActions": [limit],
        },
    }
    account.client("cloudformation").create_stack(
        StackName="patient", TemplateBody=json.dumps({"Resources": {"Queue": queue}})
    )
    needs = [{"type": "GPU", "value": "1"}]
    large = account.submit(
        "true", jobQueue="patient", containerOverrides={"resourceRequirements": needs}
    )
    behind = account.submit("true", jobQueue="patient")
    job = account.wait(large)
    assert (job["status"], job["statusReason"]) == ("FAILED", reason)
    assert job.get("attempts", []) == []
    assert account.wait(behind)["status"] == "SUCCEEDED"
