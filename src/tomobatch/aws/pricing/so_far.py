"""What a run has cost so far, from two listings: when its attempts started and last reported."""

from collections.abc import Iterator

from tomobatch.aws.pricing import Use, cost_of, offline_prices
from tomobatch.aws.runs.observe import Observer
from tomobatch.aws.runs.state import Submitted


def cost_so_far_usd(observer: Observer, now_ms: int) -> float:
    """Return what a run that was just looked at has cost, in dollars, at the offline prices."""
    uses = [use for each in observer.submitted for use in _uses(observer, each, now_ms)]
    return cost_of(uses, offline_prices()).usd


def _uses(observer: Observer, submitted: Submitted, now_ms: int) -> Iterator[Use]:
    ends = observer.ends.get(submitted.commands.name, {})
    for child, attempts in submitted.starts.items():
        last_ms = now_ms if child in submitted.running else ends.get(child, 0)
        following = [attempt.started_ms for attempt in attempts[1:]]
        for attempt, stop_ms in zip(attempts, [*following, last_ms], strict=True):
            yield Use(
                step=submitted.commands.rule,
                instance_id=attempt.instance_id,
                instance_type=attempt.instance_type,
                zone=attempt.zone,
                market=attempt.market,
                vcpus=submitted.commands.vcpus,
                start_ms=attempt.started_ms,
                stop_ms=max(attempt.started_ms, stop_ms),
            )
