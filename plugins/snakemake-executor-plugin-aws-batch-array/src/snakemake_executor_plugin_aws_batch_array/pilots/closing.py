"""Lets pilots end from outside, without a word with their controller."""

from dataclasses import replace

from snakemake_executor_plugin_aws_batch_array.pilots.channel import StoreChannel
from snakemake_executor_plugin_aws_batch_array.store import RunStore

_TRIES = 5


def close_pilots(store: RunStore, name: str) -> bool:
    """Let the pilots of an array end after the command each is at; tell whether they were told."""
    channel = StoreChannel(store)
    for _ in range(_TRIES):
        seen = channel.look(name)
        if seen is None or seen.control is None or seen.control.closed:
            return seen is not None
        closed = replace(seen.control, owner="", closed=True, beat=seen.control.beat + 1)
        if channel.write(name, closed, seen.tag) is not None:
            return True
    return False
