"""An AWS Batch and an S3 that do what a test says."""

import io
import tarfile
from collections import Counter

import boto3
import pytest
from moto import mock_aws

from snakemake_executor_plugin_aws_batch_array.command_list import (
    ChildOutcomes,
    Command,
    CommandList,
    Outcome,
)
from snakemake_executor_plugin_aws_batch_array.pilot_dispatch import PilotDispatch
from snakemake_executor_plugin_aws_batch_array.pilots.channel import StoreChannel
from snakemake_executor_plugin_aws_batch_array.pilots.fleet import Fleet
from snakemake_executor_plugin_aws_batch_array.status import Attempt, JobDetail, Status
from snakemake_executor_plugin_aws_batch_array.store import RunStore, S3Path
from snakemake_executor_plugin_aws_batch_array.submission import Submission


def build_list(n_commands=4, n_children=2, name="run-a-1", **more):
    commands = tuple(
        Command((f"a:i={i}",), ("--target-jobs", f"a:i={i}"), f"identity{i}", (f"out{i}",))
        for i in range(n_commands)
    )
    fields = {
        "name": name,
        "run": "run",
        "rule": "a",
        "queue": "cpu",
        "submitted_ms": 1,
        "n_children": n_children,
        "vcpus": 2,
        "command_timeout_s": None,
        "versions": {},
        "environment": {},
        "sources": "",
        "arguments": (),
        "commands": commands,
    }
    return CommandList(**(fields | more))


def build_outcome(command, exit_code=0, reason="", attempt=1):
    return Outcome(command, exit_code, reason, attempt, 10, 20, 30)


class FakeBatch:
    """Jobs as dictionaries from child index (None: the job itself) to what is told of them."""

    def __init__(self):
        self.calls = Counter()
        self.submissions = []
        self.terminated = []
        self.details = {}
        self.error = None

    def submit(self, submission):
        self.calls["submit"] += 1
        if self.error is not None:
            raise self.error
        self.submissions.append(submission)
        job_id = f"job{len(self.submissions)}"
        self.set(job_id, Status.SUBMITTED, name=submission.name)
        return job_id

    def set(self, job_id, status, reason="", exit_code=None, children=(), name="", stream=""):
        """Tell a job's state and its children's, in their order."""
        attempts = (Attempt(exit_code, log_stream=stream),) if exit_code is not None else ()
        name = name or (self.details[job_id].name if job_id in self.details else job_id)
        self.details[job_id] = JobDetail(
            job_id, name, status, reason, attempts, "", dict(Counter(children))
        )
        for index, child in enumerate(children):
            child_id = f"{job_id}:{index}"
            exit_codes = {Status.FAILED: 1, Status.SUCCEEDED: 0}
            ended = (Attempt(exit_codes.get(child), log_stream=f"stream{index}"),)
            self.details[child_id] = JobDetail(
                child_id, name, child, reason, ended if child.is_final else ()
            )

    def describe(self, job_ids):
        self.calls["describe"] += 1
        return {job_id: self.details[job_id] for job_id in job_ids if job_id in self.details}

    def children(self, parent_id, status):
        self.calls["children"] += 1
        return [
            int(job_id.partition(":")[2])
            for job_id, detail in self.details.items()
            if job_id.startswith(f"{parent_id}:") and detail.status is status
        ]

    def find_new(self, name, queue, since_s=0.0):
        return self.find(name, queue)

    def find_all(self, pattern, queue):
        self.calls["find_all"] += 1
        start = pattern.removesuffix("*")
        return {
            each.name: each.job_id
            for each in self.details.values()
            if each.name.startswith(start) and ":" not in each.job_id
        }

    def find(self, name, queue):
        self.calls["find"] += 1
        found = [d.job_id for d in self.details.values() if d.name == name and ":" not in d.job_id]
        return found[-1] if found else None

    def front(self, queue):
        self.calls["front"] += 1
        active = [each for each in self.details.values() if not each.status.is_final]
        return [each for each in active if ":" not in each.job_id]

    def terminate(self, job_id, reason):
        self.terminated.append(job_id)


class FakeStore:
    """Lists and outcomes in memory."""

    def __init__(self):
        self.lists = {}
        self.closed = []
        self.outcomes = {}
        self.noted = []
        self.error = None
        self.n_reads = 0

    def list_path(self, name):
        return f"s3://bucket/lists/{name}.json"

    def put_list(self, command_list):
        self.lists[command_list.name] = command_list
        return "checksum"

    def get_list(self, name):
        return self.lists[name]

    def open_names(self):
        return [name for name in self.lists if name not in self.closed]

    def close(self, name):
        self.closed.append(name)

    def put_attempt(self, name, child, attempt):
        self.noted.append((name, child, attempt))

    def attempts(self):
        """Return the last that was noted of each attempt."""
        found = {}
        for name, child, attempt in self.noted:
            found.setdefault(name, {}).setdefault(child, {})[attempt.number] = attempt
        return {
            name: {child: [by[n] for n in sorted(by)] for child, by in children.items()}
            for name, children in found.items()
        }

    def get_sources(self, archive_checksum):
        if self.error is not None:
            raise self.error
        body = io.BytesIO()
        with tarfile.open(fileobj=body, mode="w:xz") as archive:
            archive.addfile(tarfile.TarInfo("Snakefile"))
        return body.getvalue()

    def put_outcomes(self, name, outcomes):
        self.outcomes[name, outcomes.child] = ChildOutcomes.from_bytes(outcomes.to_bytes())

    def get_outcomes(self, name, child):
        self.n_reads += 1
        return self.outcomes.get((name, child), ChildOutcomes(child))

    def outcome_tags(self, name):
        return {
            child: str(hash(outcomes.to_bytes()))
            for (list_name, child), outcomes in self.outcomes.items()
            if list_name == name
        }

    def report(self, name, child, *outcomes):
        """Add outcomes of one child."""
        known = self.outcomes.setdefault((name, child), ChildOutcomes(child))
        known.by_command.update({outcome.command: outcome for outcome in outcomes})


@pytest.fixture
def batch():
    return FakeBatch()


@pytest.fixture
def store():
    return FakeStore()


def without_pilots(batch, store):
    fleet = Fleet(None, store, batch, lambda _: None)
    return PilotDispatch(0, fleet, batch, store, list, lambda _: None)


@pytest.fixture
def no_pilots():
    """Make what sends commands to pilots, where there are to be none."""
    return without_pilots


@pytest.fixture
def pilots(batch, store):
    return without_pilots(batch, store)


@pytest.fixture
def make_list():
    return build_list


@pytest.fixture
def make_outcome():
    return build_outcome


@pytest.fixture
def submission():
    return Submission(
        name="run-a-1",
        queue="cpu",
        definition="definition:1",
        n_children=1,
        command=("python",),
        environment={"ARRAY_SIZE": "1"},
        vcpus=2,
        memory_mib=3000,
        gpus=0,
        timeout_s=None,
        attempts=5,
        tags={"rule": "a"},
    )


@pytest.fixture
def aws(monkeypatch):
    """AWS in this process, as moto has it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield


@pytest.fixture
def real_store(aws):
    """Lists and outcomes on an S3 in this process."""
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="bucket")
    return RunStore(s3, S3Path("bucket", "scratch/run"))


@pytest.fixture
def channel(real_store):
    return StoreChannel(real_store)
