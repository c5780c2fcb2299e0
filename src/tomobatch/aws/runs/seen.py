"""What a run saw of AWS, from its workers' records: one JSON object beside its results.

Later estimates learn from it (``tomobatch.estimate.learn``). A run whose object cannot be read, or
says something odd, teaches nothing: jobs may write there, and an estimate is not worth a failure.
"""

import contextlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, fields
from statistics import fmean, median
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from snakemake_executor_plugin_aws_batch_array.command_list import Attempt, CommandList
from snakemake_executor_plugin_aws_batch_array.reading import RunReader
from tomobatch.aws.runs.foretold import Foretold
from tomobatch.aws.runs.observe import Look, Observer
from tomobatch.aws.runs.place import Place
from tomobatch.aws.runs.submitted import Submitted
from tomobatch.fleet.machines import has_gpu, is_task

NAME = "seen.json"
_AT_ONCE = 16
_CHILDREN_ASKED = 20
"""Of one list, for how long its jobs took: a request each."""
_RUNS_ASKED = 200


@dataclass(frozen=True)
class SeenStep:
    """What a job of a step took on average, and what was foretold of it."""

    n_jobs: int
    mean_s: float
    compute_s: float
    moved_mb: float


@dataclass(frozen=True)
class Seen:
    """What a run saw.

    Attributes
    ----------
    asked_s
        From each submission to the launch of the machines that started for it, asked for at once.
    boot_s, gpu_boot_s
        From there to the machine's first work.
    warm_s
        From a submission to the start of each child on a machine that was there and free.
    task_start_s, task_pull_s
        From each submission to the tasks on Fargate that started for it, as they began to fetch
        their image; and from there to the first work of each.
    notice_s
        From the end of a list to the submission of the next.
    kept_idle_s, gone_idle_s
        The longest that a machine idled and was not ended; the shortest after which one was known
        to be gone, 0 if none was.
    steps
        By rule.
    on_tasks
        Whether they ran on Fargate, which is as fast as it is.
    """

    asked_s: tuple[float, ...] = ()
    boot_s: tuple[float, ...] = ()
    gpu_boot_s: tuple[float, ...] = ()
    warm_s: tuple[float, ...] = ()
    task_start_s: tuple[float, ...] = ()
    task_pull_s: tuple[float, ...] = ()
    notice_s: tuple[float, ...] = ()
    kept_idle_s: float = 0.0
    gone_idle_s: float = 0.0
    steps: Mapping[str, SeenStep] = field(default_factory=dict)
    on_tasks: bool = False

    @classmethod
    def from_bytes(cls, body: bytes) -> "Seen":
        """Read what ``to_bytes`` made.

        Raises
        ------
        ValueError, TypeError, KeyError
            If it is something else.
        """
        # What the first version did not look at has taught nothing.
        later = {"task_start_s": (), "task_pull_s": (), "gone_idle_s": 0.0, "on_tasks": False}
        document = {**later, **json.loads(body)}
        values: dict[str, Any] = {
            each.name: tuple(float(value) for value in document[each.name])
            for each in fields(cls)
            if each.name not in ("kept_idle_s", "gone_idle_s", "steps", "on_tasks")
        }
        steps = {str(rule): SeenStep(**step) for rule, step in document["steps"].items()}
        values |= {name: float(document[name]) for name in ("kept_idle_s", "gone_idle_s")}
        return cls(**values, steps=steps, on_tasks=bool(document["on_tasks"]))

    def to_bytes(self) -> bytes:
        """Return all of it as JSON."""
        return json.dumps(asdict(self), indent=1).encode()


def note_seen(place: Place, run: str) -> None:
    """Write down what a run saw.

    The run is done by then: what AWS refuses now is not worth its failure.
    """
    with contextlib.suppress(ClientError, BotoCoreError):
        observer = Observer(place, run)
        put_seen(place, run, see(observer.look(), observer.reader))


def put_seen(place: Place, run: str, seen: Seen) -> None:
    """Write down what was seen, under a run's name."""
    path = place.runs / run / NAME
    place.s3.put_object(
        Bucket=path.bucket, Key=path.key, Body=seen.to_bytes(), ContentType="application/json"
    )


def read_seen(place: Place) -> list[Seen]:
    """Return what the runs of a deployment saw, of at most two hundred of them."""
    runs = place.folders(place.runs)[-_RUNS_ASKED:]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return [seen for seen in pool.map(lambda run: _read(place, run), runs) if seen is not None]


def _read(place: Place, run: str) -> Seen | None:
    path = place.runs / run / NAME
    try:
        body = place.s3.get_object(Bucket=path.bucket, Key=path.key)["Body"].read()
        return Seen.from_bytes(body)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            return None
        raise
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def see(look: Look, reader: RunReader) -> Seen:
    """Return what a run saw."""
    foretold = look.record.foretold if look.record is not None else None
    on_tasks = any(
        is_task(attempt.instance_type)
        for each in look.submitted
        for attempts in each.attempts.values()
        for attempt in attempts
    )
    return Seen(
        **_machines(look.submitted),
        notice_s=tuple(_notices(look.submitted)),
        steps={} if foretold is None else _steps(look.submitted, reader, foretold),
        on_tasks=on_tasks,
    )


@dataclass(frozen=True)
class _Start:
    attempt: Attempt
    commands: CommandList

    @property
    def waited_ms(self) -> int:
        """From the submission to the launch of its machine; negative if that was there before."""
        return self.attempt.launched_ms - self.commands.submitted_ms


def _machines(submitted: Iterable[Submitted]) -> dict[str, Any]:
    """Return the times that the machines tell."""
    asked_s: dict[str, list[float]] = defaultdict(list)
    tasks_s: dict[str, list[float]] = defaultdict(list)
    names = ("boot_s", "gpu_boot_s", "warm_s", "task_pull_s")
    times: dict[str, list[float]] = {name: [] for name in names}
    kept_idle_s = 0.0
    for first, *others in _by_machine(submitted):
        on_task = is_task(first.attempt.instance_type)
        # A machine that was launched before was another's; one that a retry got, nobody's wish.
        if first.waited_ms >= 0 and first.attempt.number == 1:
            waits_s = tasks_s if on_task else asked_s
            waits_s[first.commands.name].append(first.waited_ms / 1000)
            name = "gpu_boot_s" if has_gpu(first.attempt.instance_type) else "boot_s"
            name = "task_pull_s" if on_task else name
            times[name].append((first.attempt.started_ms - first.attempt.launched_ms) / 1000)
        free_ms = first.attempt.stopped_ms
        for start in others:
            if free_ms is None:
                break
            attempt, submitted_ms = start.attempt, start.commands.submitted_ms
            if free_ms <= submitted_ms and attempt.number == 1:
                times["warm_s"].append((attempt.started_ms - submitted_ms) / 1000)
            # From its submission on the machine may have been waiting for it.
            kept_idle_s = max(kept_idle_s, (submitted_ms - free_ms) / 1000)
            free_ms = None if attempt.stopped_ms is None else max(free_ms, attempt.stopped_ms)
    return {
        "asked_s": tuple(median(each) for each in asked_s.values()),
        "task_start_s": tuple(median(each) for each in tasks_s.values()),
        **{name: tuple(values) for name, values in times.items()},
        "kept_idle_s": kept_idle_s,
    }


def _by_machine(submitted: Iterable[Submitted]) -> list[list[_Start]]:
    machines: dict[str, list[_Start]] = defaultdict(list)
    for each in submitted:
        for attempts in each.attempts.values():
            for attempt in attempts:
                if attempt.instance_id and attempt.launched_ms:
                    machines[attempt.instance_id].append(_Start(attempt, each.commands))
    return [
        sorted(starts, key=lambda each: each.attempt.started_ms) for starts in machines.values()
    ]


def _notices(submitted: Sequence[Submitted]) -> Iterable[float]:
    """Walk the pauses between the lists, the oldest first, where nothing else ran."""
    ended_ms: int | None = None
    for each in sorted(submitted, key=lambda one: one.commands.submitted_ms):
        if ended_ms is not None and ended_ms <= each.commands.submitted_ms:
            yield (each.commands.submitted_ms - ended_ms) / 1000
        stops = [attempts[-1].stopped_ms for attempts in each.attempts.values()]
        known = [stop for stop in stops if stop is not None]
        ended_ms = max([*known, ended_ms or 0]) if known else ended_ms


def _steps(
    submitted: Iterable[Submitted], reader: RunReader, foretold: Foretold
) -> dict[str, SeenStep]:
    """Return what the jobs of each step took, of some children of each list.

    Of a list that pilots ran, each may have had some.
    """
    took_s: dict[str, list[float]] = defaultdict(list)
    for each in submitted:
        commands = each.commands
        began = range(commands.n_children) if commands.pilots else sorted(each.attempts)
        children = began[:_CHILDREN_ASKED]
        for child in reader.outcomes(each.commands.name, children).values():
            took_s[each.commands.rule] += [
                (outcome.stopped_ms - outcome.started_ms) / 1000
                for outcome in child.by_command.values()
                if outcome.succeeded
            ]
    return {
        rule: SeenStep(
            len(times),
            fmean(times),
            foretold.steps[rule].compute_s,
            foretold.steps[rule].moved_mb,
        )
        for rule, times in took_s.items()
        if times and rule in foretold.steps
    }
