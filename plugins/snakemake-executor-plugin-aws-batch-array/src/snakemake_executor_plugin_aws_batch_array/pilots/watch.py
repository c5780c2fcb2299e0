"""Watches the lists that pilots work on: each command is decided by its own outcome.

A pilot does not end with a list, so that its state in Batch says nothing of success; what Batch
says of pilots that are gone decides what becomes of the commands they had begun.
"""

from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from snakemake_executor_plugin_aws_batch_array.batch import BatchApi
from snakemake_executor_plugin_aws_batch_array.command_list import (
    TIMED_OUT,
    ChildOutcomes,
    Outcome,
)
from snakemake_executor_plugin_aws_batch_array.failures import failure_message
from snakemake_executor_plugin_aws_batch_array.logs import LogTail
from snakemake_executor_plugin_aws_batch_array.pilots.control import CONTROLLER, Claim
from snakemake_executor_plugin_aws_batch_array.pilots.judge import (
    Judgement,
    Life,
    all_over,
    gone,
    judge,
)
from snakemake_executor_plugin_aws_batch_array.status import Attempt, JobDetail, Status
from snakemake_executor_plugin_aws_batch_array.verdicts import (
    MAX_LOGS,
    SUCCESS,
    OutcomeReader,
    Verdict,
    Verdicts,
)
from snakemake_executor_plugin_aws_batch_array.watched import Watched

JUDGE_S = 30.0
"""How often Batch is asked for each pilot, though no count of its array has moved."""

OVERDUE_S = 60
"""Over its time limit a command is ended by its worker; so long after, the pilot is ended."""


class Claims(Protocol):
    """Where claims are read, and commands are freed."""

    def claim_tags(self, name: str) -> dict[int, str]:
        """List the claims of a list: command to tag."""
        ...

    def read_claim(self, name: str, command: int) -> Claim | None:
        """Read the claim of a command."""
        ...

    def free(self, name: str, freed: Mapping[int, str]) -> None:
        """Let the pilots begin some commands anew."""
        ...


@dataclass
class _Known:
    """What is known of one list besides what is decided.

    Attributes
    ----------
    tags
        Of each pilot's outcomes as they were read last.
    claims
        By command.
    begun_s
        When each claim was first seen.
    overdue
        Commands whose pilot was ended for them.
    judged_s, judged
        When pilots were asked for last, and what the counts of their array were.
    """

    tags: dict[int, str] = field(default_factory=dict)
    claims: dict[int, Claim] = field(default_factory=dict)
    begun_s: dict[int, float] = field(default_factory=dict)
    overdue: set[int] = field(default_factory=set)
    judged_s: float = float("-inf")
    judged: object = None


class PilotWatcher:
    """Turns what pilots report, and what Batch says of them, into verdicts.

    Parameters
    ----------
    batch
        AWS Batch.
    outcomes
        Where pilots report.
    claims
        Where they say what they begin.
    log_tail, log_group
        As of the `Watcher`.
    """

    def __init__(
        self,
        batch: BatchApi,
        outcomes: OutcomeReader,
        claims: Claims,
        log_tail: LogTail,
        log_group: str,
    ) -> None:
        self._batch = batch
        self._outcomes = outcomes
        self._claims = claims
        self._log_tail = log_tail
        self._log_group = log_group
        self._known: dict[str, _Known] = {}

    def look_at(self, item: Watched, detail: JobDetail, now_s: float) -> Verdicts:
        """Return what is new of a list; `detail` is that of the array."""
        name = item.commands.name
        known = self._known.setdefault(name, _Known())
        tags = self._outcomes.outcome_tags(name)
        changed = [pilot for pilot, tag in tags.items() if known.tags.get(pilot) != tag]
        verdicts = self._of_outcomes(item, changed, item.undecided)
        known.tags |= tags
        left = item.undecided - verdicts.keys()
        moved = detail.fingerprint != known.judged
        if left and (moved or now_s - known.judged_s >= JUDGE_S):
            verdicts |= self._of_the_gone(item, known, left, now_s)
            known.judged_s, known.judged = now_s, detail.fingerprint
        if len(verdicts) == len(item.undecided):
            del self._known[name]
        return verdicts

    def at_last(self, item: Watched) -> Verdicts:
        """Decide all of a list whose array Batch does not know any more."""
        verdicts = self._of_outcomes(item, range(item.n_children), item.undecided)
        why = f"AWS Batch knows no job {item.job_id} any more."
        return {index: verdicts.get(index, Verdict(why)) for index in item.undecided}

    def _of_outcomes(
        self, item: Watched, pilots: Iterable[int], wanted: Collection[int]
    ) -> Verdicts:
        """Read what some pilots report; the last word on each command."""
        verdicts: Verdicts = {}
        failed: dict[int, tuple[int, Outcome]] = {}
        for pilot in pilots:
            outcomes: ChildOutcomes = self._outcomes.get_outcomes(item.commands.name, pilot)
            for index, outcome in outcomes.by_command.items():
                if index in wanted and outcome.succeeded:
                    verdicts[index] = SUCCESS
                elif index in wanted:
                    failed[index] = pilot, outcome
        failed = {index: failed[index] for index in sorted(failed.keys() - verdicts.keys())}
        details = self._batch.describe(
            sorted({item.child_id(pilot) for pilot, _ in failed.values()})
        )
        for n_logs, (index, (pilot, outcome)) in enumerate(failed.items()):
            job_id = item.child_id(pilot)
            detail = _as_it_was(job_id, details.get(job_id), outcome)
            verdicts[index] = self._failure(item, detail, outcome, shows_log=n_logs < MAX_LOGS)
        return verdicts

    def _of_the_gone(
        self, item: Watched, known: _Known, left: AbstractSet[int], now_s: float
    ) -> Verdicts:
        """Decide, or free, what pilots had begun that are gone by the word of Batch."""
        pilots = range(item.n_children)
        details = self._batch.describe([item.child_id(pilot) for pilot in pilots])
        by_pilot = {
            pilot: details[item.child_id(pilot)]
            for pilot in pilots
            if item.child_id(pilot) in details
        }
        lives = {
            pilot: Life(each.n_ended, each.status.is_final) for pilot, each in by_pilot.items()
        }
        claims = self._read_claims(item, known, left, now_s)
        is_over = all_over(lives, pilots)
        # What they reported last: a listing may be late, an object read by its name is not.
        verdicts = self._of_outcomes(item, pilots if is_over else gone(claims, lives), left)
        open_claims = {index: claim for index, claim in claims.items() if index not in verdicts}
        judgement = judge(open_claims, lives)
        if is_over:
            judgement = Judgement({}, frozenset(left) - verdicts.keys())
        elif judgement.freed:
            self._claims.free(item.commands.name, judgement.freed)
        for n_logs, index in enumerate(sorted(judgement.lost)):
            verdicts[index] = self._loss(item, known, by_pilot, index, shows_log=n_logs < MAX_LOGS)
        self._end_overdue(item, known, open_claims.keys() - verdicts.keys(), now_s)
        return verdicts

    def _read_claims(
        self, item: Watched, known: _Known, left: AbstractSet[int], now_s: float
    ) -> dict[int, Claim]:
        tags = self._claims.claim_tags(item.commands.name)
        for index in sorted(left & tags.keys()):
            if index in known.claims and known.claims[index].tag == tags[index]:
                continue
            claim = self._claims.read_claim(item.commands.name, index)
            if claim is not None and claim != known.claims.get(index):
                known.claims[index], known.begun_s[index] = claim, now_s
        return {index: known.claims[index] for index in left if index in known.claims}

    def _end_overdue(
        self, item: Watched, known: _Known, begun: Collection[int], now_s: float
    ) -> None:
        """End the pilots whose worker does not end a command that takes too long: it hangs."""
        limit_s = item.commands.command_timeout_s
        for index in begun:
            claim = known.claims[index]
            if limit_s is None or claim.pilot == CONTROLLER or index in known.overdue:
                continue
            if now_s - known.begun_s[index] > limit_s + OVERDUE_S:
                known.overdue.add(index)
                self._batch.terminate(item.child_id(claim.pilot), "a command takes too long")

    def _loss(
        self,
        item: Watched,
        known: _Known,
        by_pilot: Mapping[int, JobDetail],
        index: int,
        *,
        shows_log: bool,
    ) -> Verdict:
        """Return the verdict on a command whose pilot is over, or that no pilot is left for."""
        claim = known.claims.get(index)
        if claim is None or claim.pilot not in by_pilot:
            return Verdict(
                f"The pilots of AWS Batch job {item.job_id} all ended before this command began."
            )
        outcome = None
        if index in known.overdue:
            outcome = Outcome(index, 1, TIMED_OUT, claim.attempt, 0, 0, 0)
        return self._failure(item, by_pilot[claim.pilot], outcome, shows_log=shows_log)

    def _failure(
        self, item: Watched, detail: JobDetail, outcome: Outcome | None, *, shows_log: bool
    ) -> Verdict:
        tell = partial(failure_message, detail, outcome, item.commands.command_timeout_s)
        return Verdict(tell(self._log_group, self._log_tail if shows_log else None))


def _as_it_was(job_id: str, detail: JobDetail | None, outcome: Outcome) -> JobDetail:
    """Return a pilot as if it had ended with a command that failed, as a child by step does."""
    if detail is None:
        return JobDetail(job_id, "", Status.FAILED, attempts=(Attempt(outcome.exit_code),))
    ended = detail.attempts[: detail.n_ended]
    stream = detail.log_stream
    if outcome.attempt <= len(ended):
        stream = ended[outcome.attempt - 1].log_stream
    attempt = Attempt(exit_code=outcome.exit_code, log_stream=stream)
    return replace(detail, status_reason="", attempts=(attempt,), is_ended=False)
