"""The uses of machines by a run: when each attempt of its jobs ended, and what of it was lost.

``status`` and ``cost`` make their uses here, of one listing, so that both tell the same amount.

Decision 90.
"""

from collections.abc import Iterator, Mapping

from snakemake_executor_plugin_aws_batch_array.command_list import Attempt, ChildOutcomes
from snakemake_executor_plugin_aws_batch_array.reading import RunReader
from tomobatch.aws.pricing.cost import Use
from tomobatch.aws.runs.observe import Look
from tomobatch.aws.runs.submitted import Submitted

_NO_OUTCOMES: Mapping[int, ChildOutcomes] = {}


def read_uses(look: Look, reader: RunReader) -> list[Use]:
    """Return the uses of a run with what of each was lost, for which outcomes are read."""
    uses: list[Use] = []
    for each in look.submitted:
        if each.commands.is_of_pilots:
            outcomes = _of_pilots(each.commands.name, look, reader)
        else:
            outcomes = reader.outcomes(each.commands.name, each.attempts)
        uses += uses_of(each, look.state.now_ms, outcomes)
    return uses


def _of_pilots(name: str, look: Look, reader: RunReader) -> dict[int, ChildOutcomes]:
    """Return what pilots brought to an end of all their lists, numbered on."""
    found: dict[int, ChildOutcomes] = {}
    lists = (each.commands for each in look.submitted if each.commands.pilots == name)
    for commands in lists:
        for pilot, outcomes in reader.outcomes(commands.name, range(commands.n_children)).items():
            known = found.setdefault(pilot, ChildOutcomes(pilot)).by_command
            known.update({len(known) + i: o for i, o in enumerate(outcomes.by_command.values())})
    return found


def uses_so_far(look: Look) -> list[Use]:
    """Return the uses of a run at no further call; what was lost is not known."""
    return [use for each in look.submitted for use in uses_of(each, look.state.now_ms)]


def uses_of(
    submitted: Submitted, now_ms: int, outcomes: Mapping[int, ChildOutcomes] = _NO_OUTCOMES
) -> Iterator[Use]:
    """Walk the attempts of one list.

    Parameters
    ----------
    submitted
        The list.
    now_ms
        Until when an attempt that runs counts.
    outcomes
        By child, to tell what was lost; without them, nothing was.
    """
    longest_ms = max(
        (
            attempt.stopped_ms - attempt.started_ms
            for attempts in submitted.attempts.values()
            for attempt in attempts
            if attempt.stopped_ms is not None and attempt.finished
        ),
        default=None,
    )
    for child, attempts in submitted.attempts.items():
        known = outcomes.get(child)
        following: list[Attempt | None] = [*attempts[1:], None]
        before = [0, *(attempt.number for attempt in attempts)]
        for attempt, follower, last in zip(attempts, following, before[:-1], strict=True):
            runs = follower is None and child in submitted.running and attempt.stopped_ms is None
            stop_ms = now_ms if runs else _stop_ms(attempt, follower, longest_ms)
            yield Use(
                step=submitted.commands.rule,
                instance_id=attempt.instance_id,
                instance_type=attempt.instance_type,
                zone=attempt.zone,
                market=attempt.market,
                vcpus=submitted.commands.vcpus,
                start_ms=attempt.started_ms,
                stop_ms=max(attempt.started_ms, stop_ms),
                lost_ms=0 if known is None else _lost_ms(known, attempt, stop_ms, runs=runs),
                reclaimed=follower is not None and not attempt.finished,
                launched_ms=attempt.launched_ms,
                n_before=attempt.number - last - 1,
            )


def _stop_ms(attempt: Attempt, follower: Attempt | None, longest_ms: int | None) -> int:
    """Return when an attempt ended that does not run any more.

    One whose machine went without a word ended, for all we know, when the next one of the same
    child started, and did not last longer than the longest that came to its end.
    """
    if attempt.stopped_ms is not None:
        return attempt.stopped_ms
    bounds = [] if follower is None else [follower.started_ms]
    if longest_ms is not None:
        bounds.append(attempt.started_ms + longest_ms)
    return min(bounds, default=attempt.started_ms)


def _lost_ms(known: ChildOutcomes, attempt: Attempt, stop_ms: int, *, runs: bool) -> int:
    """Return the time of commands that failed; of an attempt that was cut off, all but success."""
    of_attempt = [each for each in known.by_command.values() if each.attempt == attempt.number]
    if attempt.finished or runs:
        return sum(each.stopped_ms - each.started_ms for each in of_attempt if not each.succeeded)
    kept_ms = sum(each.stopped_ms - each.started_ms for each in of_attempt if each.succeeded)
    return max(0, stop_ms - attempt.started_ms - kept_ms)
