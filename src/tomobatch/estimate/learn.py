"""Figures of the account's own: what its runs saw takes the place of what is assumed of AWS."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from statistics import fmean, median

import numpy as np
from scipy.optimize import nnls

from tomobatch.aws.runs.seen import Seen, SeenStep
from tomobatch.fleet.figures import Figure, Figures

_BOOT = ("pending_s", "boot_s", "place_s", "pull_s")
"""From a machine's launch to its first work: only their sum is seen."""

_LOOKS = 4
"""Runs that a measurement of idle machines counts for: it looks at several, one after the other."""


def learn(figures: Figures, runs: Iterable[Seen]) -> dict[str, Figure]:
    """Return figures, those that some runs saw as they saw them.

    A figure is the middle of the runs' own middles. Its range narrows with the root of their
    number, and holds all that they saw. What is seen as a sum of several figures scales them all.
    """
    runs = list(runs)
    learnt = dict(figures)
    # How long AWS Batch takes to decide hangs on the moment: a run has few, and all count.
    _scale(learnt, ("accept_s", "decide_s"), [fmean(s.asked_s) for s in runs if s.asked_s], fmean)
    _scale(learnt, _BOOT, _middles(runs, lambda seen: seen.boot_s))
    _scale(learnt, ("notice_s",), _middles(runs, lambda seen: seen.notice_s))
    booted_s = sum(learnt[name].likely for name in _BOOT)
    gpu_s = [max(0.0, each - booted_s) for each in _middles(runs, lambda seen: seen.gpu_boot_s)]
    _scale(learnt, ("gpu_boot_s",), gpu_s)
    accept_s = learnt["accept_s"].likely
    warm_s = [max(0.0, each - accept_s) for each in _middles(runs, lambda seen: seen.warm_s)]
    _scale(learnt, ("warm_s",), warm_s)
    task_s = [max(0.0, each - accept_s) for each in _middles(runs, lambda seen: seen.task_start_s)]
    _scale(learnt, ("task_start_s",), task_s)
    _scale(learnt, ("task_pull_s",), _middles(runs, lambda seen: seen.task_pull_s))
    rates = [(seen.on_tasks, *rates_of(tuple(seen.steps.values()))) for seen in runs]
    for name, on_tasks in (("speed", False), ("task_speed", True)):
        _scale(learnt, (name,), [speed for on, speed, _ in rates if speed and on == on_tasks])
    _scale(learnt, ("storage_mb_s",), [mb_s for _, _, mb_s in rates if mb_s])
    _keep_idle(learnt, runs)
    return learnt


def rates_of(steps: Sequence[SeenStep]) -> tuple[float | None, float | None]:
    """Return the speed and the MB/s by which steps take what they took; None if they don't tell.

    By least squares of the relative errors, each step by the root of its jobs; what computes, or
    what moves, takes no less than nothing.
    """
    usable = [step for step in steps if step.mean_s > 0 and step.n_jobs > 0]
    if len(usable) < 2:
        return None, None
    weights = np.array([math.sqrt(step.n_jobs) for step in usable])
    scale = weights / np.array([step.mean_s for step in usable])
    work = np.array([(step.compute_s, step.moved_mb) for step in usable])
    (slowness, s_a_mb), _ = nnls(work * scale[:, None], weights)
    return (
        float(1 / slowness) if slowness > 0 else None,
        float(1 / s_a_mb) if s_a_mb > 0 else None,
    )


def _middles(runs: Iterable[Seen], times: Callable[[Seen], Sequence[float]]) -> list[float]:
    return [median(times(seen)) for seen in runs if times(seen)]


def _scale(
    figures: dict[str, Figure],
    names: Sequence[str],
    seen: Sequence[float],
    middle_of: Callable[[Sequence[float]], float] = median,
) -> None:
    """Scale figures so that their sum is what was seen."""
    before = [figures[name] for name in names]
    middle = middle_of(seen) if seen else 0.0
    if middle <= 0:
        return
    factor = middle / sum(figure.likely for figure in before)
    narrower = 1 / math.sqrt(1 + len(seen))
    low, high = min(seen) / middle, max(seen) / middle
    for name, figure in zip(names, before, strict=True):
        likely = factor * figure.likely
        figures[name] = replace(
            figure,
            low=likely * min(low, (figure.low / figure.likely) ** narrower),
            likely=likely,
            high=likely * max(high, (figure.high / figure.likely) ** narrower),
            kind="learnt",
            source=f"{len(seen)} runs of this account",
        )


def _keep_idle(figures: dict[str, Figure], runs: Sequence[Seen]) -> None:
    """Machines linger no less than one was seen to idle, and mostly less than one that was gone.

    Days differ by more than a measurement is wrong by: its range is that of the table, narrower.
    """
    linger = figures["linger_s"]
    kept_s = max((seen.kept_idle_s for seen in runs), default=0.0)
    gone = [seen.gone_idle_s for seen in runs if seen.gone_idle_s]
    if gone:
        likely = (kept_s + min(gone)) / 2
        narrower = 1 / math.sqrt(1 + _LOOKS * len(gone))
        low, high = ((each / linger.likely) ** narrower for each in (linger.low, linger.high))
        source = "measured on this account"
        figures["linger_s"] = Figure(likely * low, likely, likely * high, "learnt", source)
    elif kept_s > linger.low:
        likely = max(kept_s, linger.likely)
        figures["linger_s"] = replace(
            linger, low=kept_s, likely=likely, high=max(likely, linger.high)
        )
