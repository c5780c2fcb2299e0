import json
import time
from dataclasses import replace

import boto3
import pytest
from moto import mock_aws

from snakemake_executor_plugin_aws_batch_array.command_list import (
    Attempt,
    ChildOutcomes,
    UnreadableListError,
    checksum,
)
from snakemake_executor_plugin_aws_batch_array.errors import UserError
from snakemake_executor_plugin_aws_batch_array.listing import list_objects
from snakemake_executor_plugin_aws_batch_array.logs import log_tail
from snakemake_executor_plugin_aws_batch_array.reading import RunReader
from snakemake_executor_plugin_aws_batch_array.store import ChangedListError, RunStore, S3Path

BUCKET = "lists"


@pytest.fixture
def aws(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield


@pytest.fixture
def s3(aws):
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture
def run_store(s3):
    return RunStore(s3, S3Path(BUCKET, "prefix/run"))


@pytest.mark.parametrize(
    ("url", "bucket", "key"),
    [("s3://b/a/c", "b", "a/c"), ("s3://b/a/", "b", "a"), ("s3://b", "b", "")],
)
def test_s3_addresses(url, bucket, key):
    assert S3Path.parse(url) == S3Path(bucket, key)


@pytest.mark.parametrize("url", ["b/a", "/b/a", "s3:///a", "https://b/a"])
def test_other_addresses_are_refused(url):
    with pytest.raises(UserError, match="s3://bucket/prefix"):
        S3Path.parse(url)


def test_paths_are_joined():
    assert str(S3Path.parse("s3://b") / "a" / "c") == "s3://b/a/c"


def test_a_list_survives_the_journey(run_store, make_list):
    commands = make_list()
    list_checksum = run_store.put_list(commands)

    assert list_checksum == checksum(commands.to_bytes())
    assert run_store.get_list(commands.name, list_checksum) == commands


def test_a_changed_list_is_refused(run_store, make_list):
    list_checksum = run_store.put_list(make_list(4))
    run_store.put_list(make_list(5))

    with pytest.raises(ChangedListError, match="has changed since it was submitted"):
        run_store.get_list("run-a-1", list_checksum)


def test_lists_are_open_until_they_are_closed(run_store, make_list):
    for name in ("one", "two"):
        run_store.put_list(make_list(name=name))
    run_store.close("one")

    assert run_store.open_names() == ["two"]


def test_runs_do_not_see_each_other(run_store, s3, make_list):
    run_store.put_list(make_list())

    assert RunStore(s3, S3Path(BUCKET, "prefix/run2")).open_names() == []


def test_outcomes_are_read_back_and_change_their_tag(run_store, make_outcome):
    outcomes = ChildOutcomes(12)
    run_store.put_outcomes("a", outcomes)
    before = run_store.outcome_tags("a")
    outcomes.by_command[3] = make_outcome(3)
    run_store.put_outcomes("a", outcomes)
    run_store.put_outcomes("b", ChildOutcomes(0))

    assert run_store.get_outcomes("a", 12) == outcomes
    assert run_store.outcome_tags("a").keys() == before.keys() == {12}
    assert run_store.outcome_tags("a") != before


def test_attempts_are_read_from_one_listing(run_store, s3):
    first = Attempt(1, 50, "i-0a", "c6i.large", "eu-central-1a", "spot")
    ended = replace(first, stopped_ms=70)
    second = Attempt(2, 90)
    finished = replace(second, stopped_ms=95, finished=True)
    for child, attempt in [(12, second), (12, finished), (12, first), (12, ended), (3, first)]:
        run_store.put_attempt("a", child, attempt)
    run_store.put_attempt("b", 0, first)

    reader = RunReader(run_store)

    assert reader.attempts() == {"a": {3: [first], 12: [ended, finished]}, "b": {0: [first]}}


def test_a_reader_reads_a_list_once_and_says_which_ones_it_cannot_read(run_store, s3, make_list):
    reader = RunReader(run_store)
    run_store.put_list(make_list(name="one"))
    assert reader.lists().keys() == {"one"}
    old = json.loads(make_list(name="old").to_bytes()) | {"version": 0}
    s3.put_object(Bucket=BUCKET, Key=run_store.list_path("old").key, Body=json.dumps(old).encode())
    s3.put_object(Bucket=BUCKET, Key=run_store.list_path("bad").key, Body=b"[1")
    first = json.loads(make_list(name="of-0.1.0").to_bytes()) | {"version": 1, "deploy": ["x"]}
    del first["sources"]
    first["commands"] = [row[:3] for row in first["commands"]]
    path = run_store.list_path("of-0.1.0")
    s3.put_object(Bucket=BUCKET, Key=path.key, Body=json.dumps(first).encode())
    run_store.put_list(make_list(name="two"))
    s3.delete_object(Bucket=BUCKET, Key=run_store.list_path("one").key)
    run_store.close("two")

    assert reader.lists().keys() == {"one", "of-0.1.0", "two"}
    with pytest.raises(UnreadableListError, match="schema version 1"):
        run_store.get_list("of-0.1.0")
    assert reader.closed() == {"two"}
    assert "schema version 0" in reader.unreadable["old"]
    assert "no list of commands" in reader.unreadable["bad"]


def test_a_reader_gathers_the_outcomes_of_children(run_store, make_outcome):
    outcomes = ChildOutcomes(2, {7: make_outcome(7)})
    run_store.put_outcomes("a", outcomes)

    assert RunReader(run_store).outcomes("a", [1, 2]) == {1: ChildOutcomes(1), 2: outcomes}


def test_a_child_that_reported_nothing_has_no_outcomes(run_store):
    assert run_store.get_outcomes("a", 3) == ChildOutcomes(3)


@pytest.fixture
def put(s3):
    def put(*keys):
        for key in keys:
            s3.put_object(Bucket=BUCKET, Key=key, Body=b"12345")

    return put


def test_neighbours_are_looked_up_together(s3, put):
    keys = [f"out/{i}/0/0" for i in range(12)]
    put(*keys[:11], "out/other", "a", "z")

    facts = list_objects(s3, BUCKET, keys)

    assert sorted(facts) == sorted(keys[:11])
    head = s3.head_object(Bucket=BUCKET, Key=keys[3])
    assert facts[keys[3]].size == 5
    assert facts[keys[3]].mtime == head["LastModified"].timestamp()


def test_an_object_that_is_a_folder_too_is_left_out(s3, put):
    put("out/1", "out/1-x", "out/1/below", "out/2")

    assert list_objects(s3, BUCKET, ["out/1", "out/2"]).keys() == {"out/2"}


def test_pages_are_read_as_long_as_they_are_worth_it(s3, put):
    crowd = [f"out/a{i:04}" for i in range(1100)]
    put(*crowd, "out/a", "out/b")

    # The first page ends before `out/b`.
    assert list_objects(s3, BUCKET, ["out/a", "out/b"]).keys() == {"out/a"}
    assert list_objects(s3, BUCKET, ["out/b", *crowd[:200]]).keys() == {"out/b", *crowd[:200]}


@pytest.fixture
def logs(aws):
    client = boto3.client("logs")
    client.create_log_group(logGroupName="group")
    client.create_log_stream(logGroupName="group", logStreamName="stream")
    return client


def write(logs, *lines):
    events = [{"timestamp": stamp_ms, "message": text} for stamp_ms, text in lines]
    logs.put_log_events(logGroupName="group", logStreamName="stream", logEvents=events)


def test_the_tail_of_a_log(logs):
    now_ms = int(time.time() * 1000)
    write(logs, *((now_ms + 10 * i, f"line {i}") for i in range(30)))

    assert log_tail(logs, "group", "stream", n_lines=2) == "line 28\nline 29"
    assert log_tail(logs, "group", "stream", (now_ms + 30, now_ms + 45)) == "line 3\nline 4"


def test_an_empty_log_is_said_to_be_empty(logs):
    assert "the log is empty" in log_tail(logs, "group", "stream")


def test_a_log_that_is_not_there_is_no_error(logs):
    assert "ResourceNotFoundException" in log_tail(logs, "group", "other")
