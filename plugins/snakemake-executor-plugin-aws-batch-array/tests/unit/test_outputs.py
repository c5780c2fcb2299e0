"""What the storage plugin is told about outputs, against what it finds out by itself."""

import logging
from types import SimpleNamespace

import boto3
import pytest
import snakemake_storage_plugin_s3 as s3_plugin
from moto import mock_aws

from snakemake_executor_plugin_aws_batch_array.listing import MIN_NEIGHBOURS
from snakemake_executor_plugin_aws_batch_array.outputs import Outputs
from snakemake_executor_plugin_aws_batch_array.rule_logs import rule_log_tails

BUCKET = "data"
NAMES = [f"out/{i}.txt" for i in range(MIN_NEIGHBOURS)]


@pytest.fixture
def provider(monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    with mock_aws():
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket=BUCKET)
        yield s3_plugin.StorageProvider(
            local_prefix=tmp_path,
            logger=logging.getLogger(),
            wait_for_free_local_storage=None,
            settings=s3_plugin.StorageProviderSettings(),
        )


@pytest.fixture
def requests(provider):
    """Requests that the storage plugin sends."""
    sent = []
    events = provider.s3c.meta.client.meta.events
    events.register("before-send.s3", lambda request, **_: sent.append(request.method) or None)
    return sent


@pytest.fixture
def put(provider):
    return lambda *names: [
        provider.s3c.Object(BUCKET, name).put(Body=name.encode()) for name in names
    ]


@pytest.fixture
def outputs():
    outputs = Outputs()
    yield outputs
    outputs.detach()


@pytest.fixture
def make_job(provider):
    """Make a job with outputs of these names, which the plugin has looked for in vain."""

    def make(*names):
        items = [provider.object(f"s3://{BUCKET}/{name}") for name in names]
        assert not any(item.exists() for item in items)
        files = [SimpleNamespace(is_storage=True, storage_object=item, flags={}) for item in items]
        files.append(SimpleNamespace(is_storage=False))
        return SimpleNamespace(
            is_group=lambda: False, rule=SimpleNamespace(name="a"), output=files, benchmark=None
        )

    return make


def answers(item):
    return item.exists(), item.is_dir(), item.size(), item.mtime()


def test_answers_are_the_plugins_own_without_its_requests(
    provider, requests, put, outputs, make_job
):
    jobs = [make_job(name) for name in NAMES]
    put(*NAMES)
    own = [answers(provider.object(f"s3://{BUCKET}/{name}")) for name in NAMES]
    requests.clear()

    outputs.find(jobs)

    assert len(requests) == 1
    assert [answers(job.output[0].storage_object) for job in jobs] == own
    # Inputs of later jobs are other objects of the plugin for the same object on S3.
    assert [answers(provider.object(f"s3://{BUCKET}/{name}")) for name in NAMES] == own
    assert len(requests) == 1


def test_a_folder_that_was_missing_is_seen(put, outputs, make_job):
    job = make_job("made")
    put("made/x/1.txt")

    outputs.find([job])

    assert job.output[0].storage_object.exists()


def test_an_output_that_is_missing_is_named(put, outputs, make_job):
    jobs = [make_job(name) for name in NAMES]
    put(*NAMES[:-2], f"{NAMES[-2]}/below")

    missing = outputs.find(jobs)

    # A folder is an output, too; that it is one is left to the plugin to find out.
    assert missing == [*([[]] * (len(NAMES) - 1)), [f"s3://{BUCKET}/{NAMES[-1]}"]]
    assert jobs[-2].output[0].storage_object.is_dir()
    assert not jobs[-1].output[0].storage_object.exists()


def test_few_outputs_are_one_request_each_and_none_by_the_plugin(requests, put, outputs, make_job):
    jobs = [make_job(name) for name in NAMES[:3]]
    put(*NAMES[:3])
    requests.clear()

    assert outputs.find(jobs) == [[], [], []]
    assert requests == ["HEAD"] * 3
    assert all(job.output[0].storage_object.exists() for job in jobs)
    assert len(requests) == 3


@pytest.mark.parametrize("flag", ["pipe", "service"])
def test_what_is_no_file_in_the_end_is_not_looked_for(outputs, make_job, flag):
    job = make_job("out/passing")
    job.output[0].flags = {flag: True}

    assert outputs.find([job]) == [[]]


def test_a_temporary_file_may_be_gone_within_its_group_only(outputs, make_job):
    job = make_job("out/passing")
    job.output[0].flags = {"temp": True}

    assert outputs.find([job]) == [[f"s3://{BUCKET}/out/passing"]]
    assert outputs.find([SimpleNamespace(is_group=lambda: True, jobs=[job])]) == [[]]


def test_a_benchmark_is_an_output(put, outputs, make_job):
    job = make_job("out/1.txt")
    put("out/1.txt")
    (job.benchmark, _) = make_job("bench/1.txt").output

    assert outputs.find([job]) == [[f"s3://{BUCKET}/bench/1.txt"]]


def test_outputs_of_another_storage_are_asked_of_its_plugin(outputs):
    def job(there):
        item = SimpleNamespace(query="gs://b/x", exists=lambda: there)
        file = SimpleNamespace(is_storage=True, storage_object=item, flags={})
        rule = SimpleNamespace(name="a")
        return SimpleNamespace(is_group=lambda: False, rule=rule, output=[file], benchmark=None)

    assert outputs.find([job(True), job(False)]) == [[], ["gs://b/x"]]


def test_an_output_that_is_made_anew_or_removed_is_forgotten(put, outputs, make_job):
    jobs = [make_job(name) for name in NAMES]
    put(*NAMES, "keeps-the-bucket")
    outputs.find(jobs)
    first, second = (job.output[0].storage_object for job in jobs[:2])

    outputs.will_change(jobs[:1])
    first.provider.s3c.Object(BUCKET, NAMES[0]).delete()
    second.remove()

    assert not first.exists()
    assert not second.exists()


def test_the_plugin_gets_its_methods_back(put, outputs, make_job):
    methods = {name: getattr(s3_plugin.StorageObject, name) for name in ("exists", "size", "mtime")}
    jobs = [make_job(name) for name in NAMES]
    put(*NAMES)
    outputs.find(jobs)
    assert s3_plugin.StorageObject.exists is not methods["exists"]

    outputs.detach()

    assert {name: getattr(s3_plugin.StorageObject, name) for name in methods} == methods


def test_the_log_files_of_a_job_are_shown_by_their_last_lines(provider, make_job):
    job = make_job("out/1.txt")
    job.log = [
        SimpleNamespace(is_storage=True, storage_object=provider.object(f"s3://{BUCKET}/{name}"))
        for name in ("log/long.txt", "log/never-written.txt", "log/short.txt")
    ]
    text = "".join(f"line {i}\n" for i in range(5000))
    provider.s3c.Object(BUCKET, "log/long.txt").put(Body=text.encode())
    provider.s3c.Object(BUCKET, "log/short.txt").put(Body=b"all of it")

    assert rule_log_tails(job, n_lines=2) == [
        f"Last lines of s3://{BUCKET}/log/long.txt:\nline 4998\nline 4999",
        f"Last lines of s3://{BUCKET}/log/short.txt:\nall of it",
    ]


def test_group_jobs_have_the_outputs_of_their_jobs(requests, put, outputs, make_job):
    members = [make_job(name) for name in NAMES]
    put(*NAMES)
    requests.clear()

    outputs.find([SimpleNamespace(is_group=lambda: True, jobs=members)])

    assert len(requests) == 1
