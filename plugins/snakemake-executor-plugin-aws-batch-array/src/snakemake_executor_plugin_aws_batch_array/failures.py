"""The message about a failed command: why, where, and the end of its log."""

from collections.abc import Sequence

from snakemake_executor_plugin_aws_batch_array.command_list import (
    OUT_OF_MEMORY,
    TIMED_OUT,
    Outcome,
)
from snakemake_executor_plugin_aws_batch_array.logs import DEFAULT_LOG_GROUP, LogTail
from snakemake_executor_plugin_aws_batch_array.status import (
    Cause,
    JobDetail,
    cause_of_failure,
    describe_failure,
)

MORE_MEMORY = (
    "Ask for more in the rule, as with --retries and "
    "mem_mb=lambda wildcards, attempt: 4000 * attempt."
)


def failure_message(
    detail: JobDetail,
    outcome: Outcome | None,
    command_timeout_s: int | None,
    log_group: str,
    log_tail: LogTail | None,
) -> str:
    """Return what Snakemake shows of a command that failed.

    Parameters
    ----------
    detail
        The child that ran the command.
    outcome
        What the child reported of it; None if it did not get that far.
    command_timeout_s
        Time the command might take.
    log_group
        Overrides the group the job definition names, if not empty.
    log_tail
        Reads the last lines of a log stream; None to leave them out.
    """
    reason = "" if outcome is None else outcome.reason
    if outcome is not None and reason == OUT_OF_MEMORY:
        lines = [
            f"The command was killed for want of memory (exit code {outcome.exit_code}) in "
            f"AWS Batch job {detail.job_id}."
        ]
    elif reason == TIMED_OUT:
        lines = [
            f"The command ran longer than {command_timeout_s} s and was ended, in AWS Batch job "
            f"{detail.job_id}."
        ]
    else:
        lines = [describe_failure(detail)]
        if outcome is None and detail.attempts:
            lines.append("The command did not come to an end.")
    if reason == OUT_OF_MEMORY or (
        outcome is None and cause_of_failure(detail) is Cause.OUT_OF_MEMORY
    ):
        lines.append(MORE_MEMORY)
    stream = detail.last_attempt.log_stream
    if stream and log_tail is not None:
        group = log_group or detail.log_group or DEFAULT_LOG_GROUP
        between_ms = None if outcome is None else (outcome.started_ms, outcome.stopped_ms)
        lines += [f"Last lines of log {group} {stream}:", log_tail(group, stream, between_ms)]
    return "\n".join(lines)


def missing_outputs_message(names: Sequence[str]) -> str:
    """Return what Snakemake shows of a command that ended well and left too little."""
    return (
        "The command ended well, but these of its outputs are missing afterwards: "
        f"{', '.join(names)}. Does another job or a lifecycle rule delete them?"
    )


def may_run_message(run_id: str, names: Sequence[str], why: str) -> str:
    """Return what the user must know of jobs that could not be ended."""
    return (
        f"These AWS Batch jobs of run {run_id} may still run ({why}): {', '.join(names)}. Give the "
        "same command again, and interrupt that, or end them in the console of AWS Batch."
    )


def unseen_message(run_id: str, why: str) -> str:
    """Return what the user must know where nobody could look for an earlier controller's jobs."""
    return (
        f"What an earlier controller of run {run_id} left could not be looked for ({why}), and may "
        "still run. Give the same command again, and interrupt that."
    )
