"""Calls to AWS Batch against a server that answers as the test says, by botocore's stubs."""

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from botocore.stub import ANY, Stubber

from snakemake_executor_plugin_aws_batch_array import batch as batch_module
from snakemake_executor_plugin_aws_batch_array.batch import (
    DESCRIBE_LIMIT,
    LISTING_LAG_S,
    BatchClient,
)
from snakemake_executor_plugin_aws_batch_array.status import Attempt, Status
from snakemake_executor_plugin_aws_batch_array.submission import (
    Submission,
)


@pytest.fixture(autouse=True)
def credentials(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def client(pauses):
    return BatchClient("eu-central-1", sleep=pauses.append)


@pytest.fixture
def stub(client):
    with Stubber(client._client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def submissions(client, monkeypatch):
    """Replies of SubmitJob, an exception or an id each; requests are recorded."""
    requests, replies = [], []

    def submit_job(**request):
        requests.append(request)
        reply = replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return {"jobId": reply}

    monkeypatch.setattr(client._submit_client, "submit_job", submit_job)
    return requests, replies


def refusal(code, status):
    response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "SubmitJob")


def listing(*names_and_ids):
    jobs = [{"jobName": name, "jobId": job_id, "createdAt": i}
            for i, (name, job_id) in enumerate(names_and_ids)]  # fmt: skip
    return {"jobSummaryList": jobs}


def test_submit_job_is_never_repeated_by_botocore(client):
    assert client._submit_client.meta.config.retries["total_max_attempts"] == 1
    assert client._client.meta.config.retries["total_max_attempts"] > 1


def test_the_request_of_a_plain_job(client, submissions, submission):
    requests, replies = submissions
    replies.append("job1")

    assert client.submit(submission) == "job1"
    (request,) = requests
    assert "arrayProperties" not in request
    assert "timeout" not in request
    assert request["containerOverrides"]["resourceRequirements"] == [
        {"type": "VCPU", "value": "2"},
        {"type": "MEMORY", "value": "3000"},
    ]
    assert request["propagateTags"] is True


def test_the_request_of_an_array_with_a_gpu(client, submissions, submission):
    requests, replies = submissions
    replies.append("job1")
    client.submit(Submission(**{**vars(submission), "n_children": 10, "gpus": 1, "timeout_s": 60}))

    (request,) = requests
    assert request["arrayProperties"] == {"size": 10}
    assert request["timeout"] == {"attemptDurationSeconds": 60}
    assert {"type": "GPU", "value": "1"} in request["containerOverrides"]["resourceRequirements"]


def test_a_throttled_submission_is_repeated_without_a_search(
    client, submissions, pauses, stub, submission
):
    requests, replies = submissions
    replies += [refusal("TooManyRequestsException", 429), refusal("Throttling", 400), "job1"]

    assert client.submit(submission) == "job1"
    assert len(requests) == 3
    assert len(pauses) == 2


def test_a_server_out_of_reach_is_tried_again(client, submissions, stub, submission):
    _, replies = submissions
    replies += [EndpointConnectionError(endpoint_url="x"), "job1"]

    assert client.submit(submission) == "job1"


@pytest.mark.parametrize("error", [ReadTimeoutError(endpoint_url="x"), refusal("Server", 500)])
def test_after_a_lost_reply_the_job_is_found_by_its_name(
    client, submissions, stub, error, submission
):
    requests, replies = submissions
    replies.append(error)
    stub.add_response(
        "list_jobs",
        listing(("RUN-A-1", "other"), ("run-a-1", "job1")),
        {"jobQueue": "cpu", "filters": [{"name": "JOB_NAME", "values": ["run-a-1"]}]},
    )

    assert client.submit(submission) == "job1"
    assert len(requests) == 1


def test_a_call_that_never_arrived_is_repeated(client, submissions, stub, pauses, submission):
    _, replies = submissions
    replies += [ReadTimeoutError(endpoint_url="x"), "job1"]
    # A listing may lag behind: once is not enough to say so.
    for _ in range(6):
        stub.add_response("list_jobs", listing(), {"jobQueue": ANY, "filters": ANY})

    assert client.submit(submission) == "job1"
    assert sum(pauses) >= LISTING_LAG_S


def test_the_reply_that_was_lost_last_is_looked_for_too(client, submissions, stub, submission):
    _, replies = submissions
    replies += [refusal("Throttling", 400)] * (batch_module.MAX_ATTEMPTS - 1)
    replies.append(ReadTimeoutError(endpoint_url="x"))
    stub.add_response("list_jobs", listing(("run-a-1", "job1")), {"jobQueue": ANY, "filters": ANY})

    assert client.submit(submission) == "job1"


def test_a_mistake_is_not_repeated(client, submissions, submission):
    requests, replies = submissions
    replies.append(refusal("ClientException", 400))

    with pytest.raises(ClientError):
        client.submit(submission)
    assert len(requests) == 1


def test_patience_ends(client, submissions, pauses, submission):
    requests, replies = submissions
    replies += [refusal("TooManyRequestsException", 429)] * 100

    with pytest.raises(ClientError):
        client.submit(submission)
    assert len(requests) == batch_module.MAX_ATTEMPTS
    # A minute or so: twice as long each time, up to 20 s, less up to half of it by chance.
    assert 71 / 2 <= sum(pauses) <= 71


def test_jobs_are_described_by_the_hundred(client, stub):
    ids = [f"job{i}" for i in range(DESCRIBE_LIMIT + 1)]
    for part in (ids[:DESCRIBE_LIMIT], ids[DESCRIBE_LIMIT:]):
        jobs = [
            {
                "jobId": i,
                "jobName": "a",
                "jobQueue": "cpu",
                "status": "RUNNING",
                "startedAt": 1,
                "jobDefinition": "d",
            }
            for i in part
        ]
        stub.add_response("describe_jobs", {"jobs": jobs}, {"jobs": part})

    assert list(client.describe(ids)) == ids


def test_what_describe_jobs_says_is_understood(client, stub):
    job = {
        "jobId": "job1",
        "jobName": "a",
        "jobQueue": "cpu",
        "jobDefinition": "d",
        "startedAt": 1,
        "status": "FAILED",
        "statusReason": "Essential container in task exited",
        "attempts": [
            {"statusReason": "Host EC2 (instance i-1) terminated.", "container": {}},
            {"container": {"exitCode": 1, "reason": "bad", "logStreamName": "stream"}},
        ],
        "container": {"logConfiguration": {"logDriver": "awslogs",
                                           "options": {"awslogs-group": "group"}}},
        "arrayProperties": {"size": 3, "statusSummary": {"FAILED": 1, "RUNNING": 2, "PENDING": 0}},
    }  # fmt: skip
    stub.add_response("describe_jobs", {"jobs": [job]})

    detail = client.describe(["job1"])["job1"]

    assert detail.attempts == (
        Attempt(status_reason="Host EC2 (instance i-1) terminated."),
        Attempt(exit_code=1, reason="bad", log_stream="stream"),
    )
    assert detail.log_group == "group"
    assert detail.children == {Status.FAILED: 1, Status.RUNNING: 2}


def test_children_are_listed_page_by_page(client, stub):
    def page(*indices):
        return [
            {"jobId": f"job1:{i}", "jobName": "a", "arrayProperties": {"index": i}} for i in indices
        ]

    asked = {"arrayJobId": "job1", "jobStatus": "FAILED"}
    stub.add_response("list_jobs", {"jobSummaryList": page(1, 2), "nextToken": "more"}, asked)
    stub.add_response("list_jobs", {"jobSummaryList": page(5)}, asked | {"nextToken": "more"})

    assert client.children("job1", Status.FAILED) == [1, 2, 5]


def test_jobs_are_found_by_the_beginning_of_their_names_the_latest_of_each(client, stub):
    jobs = [
        {"jobId": job_id, "jobName": name, "createdAt": created}
        for job_id, name, created in [("2", "run-a", 20), ("1", "run-a", 10), ("3", "run-b", 5)]
    ]
    stub.add_response(
        "list_jobs",
        {"jobSummaryList": jobs},
        {"jobQueue": "cpu", "filters": [{"name": "JOB_NAME", "values": ["run-*"]}]},
    )

    assert client.find_all("run-*", "cpu") == {"run-a": "2", "run-b": "3"}


def test_a_queue_that_is_gone_has_no_jobs(client, stub):
    stub.add_client_error("list_jobs", "ClientException", "JobQueue cpu does not exist.")

    assert client.find("run-a", "cpu") is None


def test_other_errors_of_listing_are_not_taken_for_a_queue_that_is_gone(client, stub):
    stub.add_client_error("list_jobs", "AccessDeniedException", http_status_code=403)

    with pytest.raises(ClientError):
        client.find("run-a", "cpu")


def test_a_job_submitted_long_ago_is_looked_for_once(client, stub, pauses):
    stub.add_response("list_jobs", listing(), {"jobQueue": ANY, "filters": ANY})

    assert client.find_new("run-a-1", "cpu", since_s=LISTING_LAG_S) is None
    assert pauses == []


@pytest.mark.parametrize("flag", ["isTerminated", "isCancelled", None])
def test_a_job_that_somebody_ended_is_known_by_its_flag(client, stub, flag):
    job = {
        "jobId": "1",
        "jobName": "a",
        "jobQueue": "q",
        "status": "FAILED",
        "startedAt": 1,
        "jobDefinition": "d",
        **({} if flag is None else {flag: True}),
    }
    stub.add_response("describe_jobs", {"jobs": [job]}, {"jobs": ["1"]})

    assert client.describe(["1"])["1"].is_ended is (flag is not None)


def test_the_front_of_a_queue_is_its_oldest_jobs_in_whatever_state_they_wait(client, stub):
    def summary(job_id, created_at):
        return {"jobSummaryList": [{"jobName": "a", "jobId": job_id, "createdAt": created_at}]}

    listed = {"PENDING": ("array", 3), "RUNNABLE": ("plain", 1), "STARTING": ("first", 0)}
    for status in ("PENDING", "RUNNABLE", "STARTING", "RUNNING"):
        reply = summary(*listed[status]) if status in listed else {"jobSummaryList": []}
        stub.add_response("list_jobs", reply, {"jobQueue": "cpu", "jobStatus": status})
    shown = [
        {"jobId": job_id, "jobName": "a", "jobQueue": "cpu", "status": "RUNNABLE",
         "startedAt": 0, "jobDefinition": "d"}
        for job_id in ("array", "plain")
    ]  # fmt: skip
    stub.add_response("describe_jobs", {"jobs": shown}, {"jobs": ["first", "plain", "array"]})

    assert [each.job_id for each in client.front("cpu")] == ["plain", "array"]
