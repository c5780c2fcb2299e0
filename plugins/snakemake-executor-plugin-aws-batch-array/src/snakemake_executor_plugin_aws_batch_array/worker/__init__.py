"""Runs a child's slice of a list of commands, inside the container.

``python -m snakemake_executor_plugin_aws_batch_array.worker``
"""
