"""The mail about a run that nobody watches: one at its end, with what failed (decision 88)."""

import sys

from botocore.exceptions import BotoCoreError, ClientError

from snakemake_executor_plugin_aws_batch_array.aws import make_client
from tomobatch.aws.runs.logs import find_sources
from tomobatch.aws.runs.observe import Observer
from tomobatch.aws.runs.place import Place
from tomobatch.words import counted

_MOST = 10
_SUBJECT_LENGTH = 100
"""SNS takes no longer one."""


def tell_of_failure(place: Place, run: str) -> bool:
    """Send the mail about a run that failed; return whether its topic took it."""
    topic = place.outputs.get("NoticeTopic")
    if topic is None:
        return False
    try:
        look = Observer(place, run).look()
        failed = [each.title for each in find_sources(look, None, None, failed=True)]
        make_client("sns").publish(
            TopicArn=topic,
            Subject=f"Run {run} failed"[:_SUBJECT_LENGTH],
            Message=failure_notice(run, failed),
        )
    except (ClientError, BotoCoreError) as error:
        print(f"no notice was sent: {error}", file=sys.stderr)  # noqa: T201
        return False
    return True


def failure_notice(run: str, failed: list[str]) -> str:
    """Return what the mail says.

    Parameters
    ----------
    failed
        What each job that failed for good was to make.
    """
    if not failed:
        return (
            f"Run {run} failed, though none of its jobs did: its controller ended with an error.\n"
            f"Why: tomobatch logs {run} --rule head\nGo on: tomobatch resume {run}"
        )
    more = [f"and {len(failed) - _MOST} more"] if len(failed) > _MOST else []
    return "\n".join(
        [
            f"Run {run} failed: {counted(len(failed), 'job')} of it did.",
            *(f"- {title}" for title in [*failed[:_MOST], *more]),
            f"Why: tomobatch logs {run} --failed",
            f"Go on with the rest: tomobatch resume {run}",
        ]
    )
