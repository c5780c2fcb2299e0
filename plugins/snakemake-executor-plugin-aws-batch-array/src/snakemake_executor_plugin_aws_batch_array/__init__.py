"""Runs the jobs of any Snakemake workflow as AWS Batch array jobs."""

from snakemake_executor_plugin_aws_batch_array import checkpoint_outputs
from snakemake_executor_plugin_aws_batch_array.executor import Executor
from snakemake_executor_plugin_aws_batch_array.settings import ExecutorSettings, common_settings

checkpoint_outputs.fetch_for(
    lambda workflow: getattr(workflow.executor_plugin, "common_settings", None) is common_settings
)
checkpoint_outputs.see_local_copies_as_they_are()

__all__ = ["Executor", "ExecutorSettings", "common_settings"]
