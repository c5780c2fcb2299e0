"""The log files of a job, which its rule names in ``log:``, where they lie on S3.

Snakemake's ``--show-failed-logs`` does not find log files that are in a storage.
"""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface

_TAIL_BYTES = 16_384


def rule_log_tails(job: JobExecutorInterface, n_lines: int = 40) -> list[str]:
    """Return the last lines of each log file of a job, below a line that names it.

    Log files that were not written, or are not on S3, are left out.
    """
    tails = []
    for single in job.jobs if job.is_group() else [job]:
        for file in single.log:
            item: Any = file.storage_object if file.is_storage else None
            if type(item).__module__ != "snakemake_storage_plugin_s3":
                continue
            try:
                # The last bytes, or all of a smaller object.
                body = item.s3obj().get(Range=f"bytes=-{_TAIL_BYTES}")["Body"].read()
            except (ClientError, BotoCoreError):
                continue
            lines = body.decode(errors="replace").splitlines()[-n_lines:]
            tails.append("\n".join([f"Last lines of {item.query}:", *lines]))
    return tails
