"""How the worker ends when S3 does not answer as it should: Batch goes by the exit code."""

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from snakemake_executor_plugin_aws_batch_array.aws import make_client
from snakemake_executor_plugin_aws_batch_array.command_list import checksum
from snakemake_executor_plugin_aws_batch_array.store import S3Path
from snakemake_executor_plugin_aws_batch_array.submission import (
    RETRY_RULES,
    TRY_AGAIN_EXIT_CODE,
)
from snakemake_executor_plugin_aws_batch_array.worker import __main__ as worker
from snakemake_executor_plugin_aws_batch_array.worker.assignment import submission_environment


@pytest.fixture
def s3(monkeypatch, make_list, tmp_path):
    """An S3 that answers as a test says; the list of a plain job is there."""
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.chdir(tmp_path)
    body = make_list(1, 1).to_bytes()
    place = S3Path("bucket", "run/lists/run-a-1.json")
    for name, value in submission_environment(place, checksum(body), 1).items():
        monkeypatch.setenv(name, value)
    client = make_client("s3", max_attempts=1)
    monkeypatch.setattr(worker, "make_client", lambda service: client)
    # Both belong to a process that is all the worker's.
    monkeypatch.setattr(worker, "warm_up", lambda: None)
    monkeypatch.setattr(worker, "ProcessRunner", lambda: None)
    with Stubber(client) as stub:
        stub.body = body
        yield stub


def test_a_list_that_s3_is_too_busy_to_give_is_tried_again_by_batch(s3, capsys):
    s3.add_client_error("get_object", "SlowDown", "slow", 503)

    assert worker.run() == TRY_AGAIN_EXIT_CODE
    assert "another attempt may do better" in capsys.readouterr().err
    rule = next(rule for rule in RETRY_RULES if "onExitCode" in rule)
    assert rule == {"onExitCode": str(TRY_AGAIN_EXIT_CODE), "action": "RETRY"}


def test_sources_that_s3_is_too_busy_to_give_are_tried_again_by_batch(s3, tmp_path):
    list_of_commands = (tmp_path / "list").open("w+b")
    list_of_commands.write(s3.body)
    list_of_commands.seek(0)
    s3.add_response("get_object", {"Body": list_of_commands})
    s3.add_response("put_object", {})
    s3.add_client_error("get_object", "SlowDown", "slow", 503)
    s3.add_response("put_object", {})

    assert worker.run() == TRY_AGAIN_EXIT_CODE
    s3.assert_no_pending_responses()
    list_of_commands.close()


def test_s3_out_of_reach_is_tried_again_by_batch(s3, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    client = make_client("s3", max_attempts=1)
    monkeypatch.setattr(worker, "make_client", lambda service: client)

    assert worker.run() == TRY_AGAIN_EXIT_CODE


def test_what_is_denied_is_not_tried_again(s3):
    s3.add_client_error("get_object", "AccessDenied", "no", 403)

    with pytest.raises(ClientError, match="AccessDenied"):
        worker.run()
