"""How many requests it takes to write an output to S3."""

from collections import Counter
from types import SimpleNamespace

import boto3
import pytest
from moto import mock_aws
from snakemake_storage_plugin_s3 import StorageObject

from snakemake_executor_plugin_aws_batch_array.worker import uploads

MIB = 2**20


@pytest.mark.parametrize(
    ("mib", "requests"),
    [
        (5, {"PutObject": 1}),
        (12, {"CreateMultipartUpload": 1, "UploadPart": 2, "CompleteMultipartUpload": 1}),
    ],
)
def test_outputs_are_written_in_parts_of_that_size(monkeypatch, tmp_path, mib, requests):
    monkeypatch.setattr(uploads, "PART_BYTES", 6 * MIB)
    monkeypatch.setattr(StorageObject, "s3obj", StorageObject.s3obj)
    uploads.upload_in_large_parts()
    path = tmp_path / "shard"
    path.write_bytes(bytes(mib * MIB))
    calls: Counter[str] = Counter()
    with mock_aws():
        s3 = boto3.resource("s3", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        s3.create_bucket(Bucket="data")
        s3.meta.client.meta.events.register(
            "before-call.s3", lambda model, **_: calls.update([model.name])
        )
        output = SimpleNamespace(provider=SimpleNamespace(s3c=s3), bucket="data", key="a/0")
        StorageObject.s3obj(output).upload_file(path)
        written = s3.Object("data", "a/0").content_length

    assert written == mib * MIB
    del calls["HeadObject"]
    assert calls == requests
