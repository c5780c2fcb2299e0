"""Ends jobs of AWS Batch, and waits until they write nothing more."""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import BotoCoreError, ClientError

from snakemake_executor_plugin_aws_batch_array.batch import BatchApi

_AT_ONCE = 8

_WAIT_S = 60.0
"""For the end of jobs that write what is to be written anew; a container has 30 s for its end."""

_POLL_S = 1.0


def end_lists(batch: BatchApi, ends: Mapping[str, Sequence[str]], reason: str) -> list[str]:
    """End the jobs of lists; return the names of those where that cannot be done."""

    def end(name: str) -> str:
        try:
            for job_id in ends[name]:
                batch.terminate(job_id, reason)
        except (ClientError, BotoCoreError):
            return name
        return ""

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return [name for name in pool.map(end, ends) if name]


def end_and_wait(
    batch: BatchApi, job_ids: Collection[str], reason: str, sleep: Callable[[float], object]
) -> None:
    """End jobs and wait until they write nothing more."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda job_id: batch.terminate(job_id, reason), job_ids))
    waited_s = 0.0
    while job_ids and waited_s < _WAIT_S:
        details = batch.describe(list(job_ids))
        job_ids = [job_id for job_id, each in details.items() if not each.status.is_final]
        if job_ids:
            sleep(_POLL_S)
            waited_s += _POLL_S
