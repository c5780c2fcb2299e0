"""What the storage plugin is told about outputs, against what it finds out by itself."""

import logging
from types import SimpleNamespace

import boto3
import pytest
import snakemake_storage_plugin_s3 as s3_plugin
from moto import mock_aws

from snakemake_executor_plugin_aws_batch_array.outputs import MIN_NEIGHBOURS, Outputs
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
        files = [SimpleNamespace(is_storage=True, storage_object=item) for item in items]
        files.append(SimpleNamespace(is_storage=False))
        return SimpleNamespace(is_group=lambda: False, rule=SimpleNamespace(name="a"), output=files)

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

    outputs.have_changed(jobs)

    assert len(requests) == 1
    assert [answers(job.output[0].storage_object) for job in jobs] == own
    # Inputs of later jobs are other objects of the plugin for the same object on S3.
    assert [answers(provider.object(f"s3://{BUCKET}/{name}")) for name in NAMES] == own
    assert len(requests) == 1


def test_a_folder_that_was_missing_is_seen(put, outputs, make_job):
    job = make_job("made")
    put("made/x/1.txt")

    outputs.have_changed([job])

    assert job.output[0].storage_object.exists()


def test_what_a_listing_does_not_show_is_asked_for(provider, requests, put, outputs, make_job):
    jobs = [make_job(name) for name in NAMES]
    put(*NAMES[:-1])
    outputs.have_changed(jobs)
    requests.clear()

    assert not jobs[-1].output[0].storage_object.exists()
    assert len(requests) > 0


def test_few_outputs_are_left_to_single_requests(requests, put, outputs, make_job):
    jobs = [make_job(name) for name in NAMES[:-1]]
    put(*NAMES[:-1])
    requests.clear()

    outputs.have_changed(jobs)

    assert requests == []


def test_an_output_that_is_made_anew_or_removed_is_forgotten(put, outputs, make_job):
    jobs = [make_job(name) for name in NAMES]
    put(*NAMES, "keeps-the-bucket")
    outputs.have_changed(jobs)
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
    outputs.have_changed(jobs)
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

    outputs.have_changed([SimpleNamespace(is_group=lambda: True, jobs=members)])

    assert len(requests) == 1
