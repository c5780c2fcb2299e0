"""Snakemake's own test suite for executor plugins; its commands run in the emulator's children."""

import functools
import uuid

import pytest
import snakemake.common.tests
from snakemake_interface_common.plugin_registry.plugin import TaggedSettings
from snakemake_storage_plugin_s3 import StorageProviderSettings

from snakemake_executor_plugin_aws_batch_array import ExecutorSettings


class TestSnakemakeSuite(snakemake.common.tests.TestWorkflowsMinioPlayStorageBase):
    """The suite, with the emulator's S3 in place of Minio's playground."""

    __test__ = True

    @pytest.fixture(autouse=True)
    def aws(self, emulator):
        self.emulator = emulator
        yield
        assert {job["status"] for job in emulator.jobs()[-1:]} == {"SUCCEEDED"}

    @functools.cached_property
    def bucket(self):
        """A folder of the deployment's bucket: a user may make no bucket."""
        return f"tomobatch-data/snakemake-{uuid.uuid4().hex}"

    def get_executor(self):
        return "aws-batch-array"

    def get_executor_settings(self):
        return ExecutorSettings(stack="tomobatch", run_id=self.bucket[-12:])

    def get_assume_shared_fs(self):
        return False

    def get_default_storage_provider_settings(self):
        tagged = TaggedSettings()
        tagged.register_settings(
            StorageProviderSettings(
                endpoint_url=self.emulator.endpoint_url, region=self.emulator.region
            )
        )
        return {"s3": tagged}

    def cleanup_test(self):
        """Leave the bucket: the emulator ends with the tests."""
