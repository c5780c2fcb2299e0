"""The attempts of a run as its workers recorded them on S3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from snakemake_executor_plugin_aws_batch_array.command_list import ChildOutcomes
from tomobatch.aws.pricing.cost import Use

if TYPE_CHECKING:
    from snakemake_executor_plugin_aws_batch_array.command_list import Attempt, CommandList
    from snakemake_executor_plugin_aws_batch_array.store import RunStore

_AT_ONCE = 16


def read_uses(store: RunStore, now_ms: int) -> list[Use]:
    """Read all attempts of a run.

    Parameters
    ----------
    store
        Where its lists and outcomes lie.
    now_ms
        Until when an attempt that has not ended counts.
    """
    still_open = set(store.open_names())
    uses: list[Use] = []
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for name in store.list_names():
            starts = store.starts(name)
            found = pool.map(partial(store.get_outcomes, name), starts)
            outcomes = dict(zip(starts, found, strict=True))
            last_ms = now_ms if name in still_open else None
            uses += uses_of(store.get_list(name), starts, outcomes, last_ms)
    return uses


def uses_of(
    command_list: CommandList,
    starts: Mapping[int, list[Attempt]],
    outcomes: Mapping[int, ChildOutcomes],
    now_ms: int | None,
) -> Iterator[Use]:
    """Walk the attempts of one list.

    An attempt whose machine went without a word ended, for all we know, when the next one of the
    same child started, and did not last longer than the longest that came to its end.

    Parameters
    ----------
    starts, outcomes
        By child.
    now_ms
        The present, if the list may still be running; else None.
    """
    finished = [a for o in outcomes.values() for a in o.attempts if a.finished]
    longest_ms = max((a.seen_ms - a.started_ms for a in finished), default=None)
    for child, begun in starts.items():
        known = outcomes.get(child, ChildOutcomes(child))
        told = {attempt.number: attempt for attempt in known.attempts}
        for position, start in enumerate(begun):
            attempt = told.get(start.number)
            followed = position + 1 < len(begun)
            if attempt is not None:
                stop_ms = attempt.seen_ms
            elif followed or now_ms is None:
                stop_ms = begun[position + 1].started_ms if followed else start.started_ms
                if longest_ms is not None:
                    stop_ms = min(stop_ms, start.started_ms + longest_ms)
            else:
                stop_ms = now_ms
            cut_off = attempt is None or not attempt.finished
            yield Use(
                step=command_list.rule,
                instance_id=start.instance_id,
                instance_type=start.instance_type,
                zone=start.zone,
                market=start.market,
                vcpus=command_list.vcpus,
                start_ms=start.started_ms,
                stop_ms=stop_ms,
                lost_ms=_lost_ms(known, start.number, stop_ms - start.started_ms)
                if cut_off and (followed or now_ms is None)
                else _failed_ms(known, start.number),
                reclaimed=cut_off and followed,
            )


def _lost_ms(known: ChildOutcomes, attempt: int, took_ms: int) -> int:
    """Return the time of an attempt that was cut off, less that of the commands it finished."""
    return took_ms - sum(
        outcome.stopped_ms - outcome.started_ms
        for outcome in known.by_command.values()
        if outcome.attempt == attempt and outcome.succeeded
    )


def _failed_ms(known: ChildOutcomes, attempt: int) -> int:
    return sum(
        outcome.stopped_ms - outcome.started_ms
        for outcome in known.by_command.values()
        if outcome.attempt == attempt and not outcome.succeeded
    )
