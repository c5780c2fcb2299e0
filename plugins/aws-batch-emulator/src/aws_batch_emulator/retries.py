"""Retry strategies: whether Batch runs a failed attempt again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_batch_emulator.endings import Ending


@dataclass(frozen=True, slots=True)
class ExitRule:
    """One entry of evaluateOnExit; a condition left out matches everything."""

    action: str  # "RETRY" or "EXIT"
    on_exit_code: str | None = None
    on_reason: str | None = None
    on_status_reason: str | None = None

    def matches(self, ending: Ending) -> bool:
        """Whether every condition of this entry fits the ending."""
        exit_code = None if ending.exit_code is None else str(ending.exit_code)
        return (
            _glob(self.on_exit_code, exit_code)
            and _glob(self.on_reason, ending.reason)
            and _glob(self.on_status_reason, ending.status_reason)
        )


@dataclass(frozen=True, slots=True)
class RetryStrategy:
    """How many attempts a job has, and which endings stop it earlier."""

    attempts: int = 1
    rules: tuple[ExitRule, ...] = ()

    @classmethod
    def from_api(cls, strategy: Mapping[str, Any] | None) -> "RetryStrategy":
        """Read the API's retryStrategy; actions are not case sensitive."""
        if not strategy:
            return cls()
        rules = tuple(
            ExitRule(
                action=rule["action"].upper(),
                on_exit_code=rule.get("onExitCode"),
                on_reason=rule.get("onReason"),
                on_status_reason=rule.get("onStatusReason"),
            )
            for rule in strategy.get("evaluateOnExit") or ()
        )
        return cls(attempts=strategy.get("attempts") or 1, rules=rules)

    def to_api(self) -> dict[str, Any]:
        """Return the strategy in the API's form."""
        names = ("onExitCode", "onReason", "onStatusReason")
        rules = []
        for rule in self.rules:
            conditions = (rule.on_exit_code, rule.on_reason, rule.on_status_reason)
            given = {n: c for n, c in zip(names, conditions, strict=True) if c is not None}
            rules.append({**given, "action": rule.action})
        return {"attempts": self.attempts, "evaluateOnExit": rules}


def wants_retry(strategy: RetryStrategy, attempts_made: int, ending: Ending) -> bool:
    """Whether a failed attempt is followed by another one.

    The first rule that matches decides. Where none does, Batch retries.
    """
    if ending.final or attempts_made >= strategy.attempts:
        return False
    for rule in strategy.rules:
        if rule.matches(ending):
            return rule.action == "RETRY"
    return True


def _glob(pattern: str | None, value: str | None) -> bool:
    """Match as evaluateOnExit does: exactly, or from the start where a `*` ends the pattern.

    A value that is absent matches only `*`: that is how the common last rule
    `EXIT onReason *` catches failures that have no reason.
    """
    if pattern is None or pattern == "*":
        return True
    if value is None:
        return False
    if pattern.endswith("*"):
        return value.startswith(pattern[:-1])
    return value == pattern
