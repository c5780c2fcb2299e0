"""Lets a call through if its caller's policies allow it, and keeps what each allowed."""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from aws_batch_emulator import moto_iam, moto_seams
from aws_batch_emulator.access.asked import Asked
from aws_batch_emulator.access.denials import Refusal, denied, expired, unknown_key
from aws_batch_emulator.access.needs import needs_of
from aws_batch_emulator.access.policies import Decision, Request, decide
from aws_batch_emulator.access.s3_needs import may_list
from aws_batch_emulator.moto_iam import Caller


@dataclass(frozen=True, slots=True)
class Judged:
    """One decision: who called what, which action that needs, and which statement decided."""

    caller: str
    call: str
    action: str
    allowed: bool
    policy: str
    statement: str


class Gate:
    """The decisions of one account."""

    def __init__(self, account_id: str) -> None:
        self._account_id = account_id
        self._lock = threading.Lock()
        self._judged: Counter[Judged] = Counter()
        self._resources: dict[Judged, str] = {}

    def caller(self, asked: Asked) -> Caller | Refusal:
        """Return who signed a request, or the refusal of a key that is not valid."""
        caller = moto_iam.find_caller(asked.call.key_id)
        service = asked.call.service
        if caller is None or caller.token not in (None, _token(asked)):
            return unknown_key(service)
        if caller.expires is not None and caller.expires < datetime.now(UTC):
            return expired(service)
        return caller

    def refusals(self, asked: Asked, caller: Caller) -> list[tuple[Request, Refusal]]:
        """Return what of a call is refused; empty if its caller may do all of it."""
        region = asked.call.region
        needed = needs_of(asked, lambda name: moto_seams.stack_arn(region, name))
        return [
            (request, refusal)
            for request in needed
            if (refusal := self.judge(caller, request, str(asked.call))) is not None
        ]

    def judge(self, caller: Caller, request: Request, call: str) -> Refusal | None:
        """Decide on one request and keep the decision."""
        decision = self._decide(caller, request)
        judged = Judged(
            caller.name, call, request.action, decision.allowed, decision.policy, decision.statement
        )
        with self._lock:
            self._judged[judged] += 1
            self._resources.setdefault(judged, request.resource or "*")
        service = call.partition(":")[0]
        return None if decision.allowed else denied(caller.arn, request, decision, service)

    def hides(self, asked: Asked, caller: Caller) -> Refusal | None:
        """Return the refusal that S3 gives for "no such key" to who may not list the bucket."""
        decision = self._decide(caller, may_list(asked))
        if decision.allowed:
            return None
        return denied(caller.arn, may_list(asked), decision, "s3")

    def decisions(self) -> list[dict[str, Any]]:
        """Return every decision so far, with how often it was made and the first resource."""
        with self._lock:
            return [
                {
                    "caller": judged.caller,
                    "call": judged.call,
                    "action": judged.action,
                    "allowed": judged.allowed,
                    "policy": judged.policy,
                    "statement": judged.statement,
                    "resource": self._resources[judged],
                    "count": count,
                }
                for judged, count in self._judged.items()
            ]

    def reset(self) -> None:
        """Forget every decision."""
        with self._lock:
            self._judged.clear()
            self._resources.clear()

    def _decide(self, caller: Caller, request: Request) -> Decision:
        known = replace(
            request,
            context={**self._context(caller, request), **request.context},
            principal={"AWS": [caller.arn, caller.owner_arn]},
        )
        return decide(
            known,
            moto_iam.policies_of(caller),
            _policies_of_resource(request),
            moto_iam.boundary_of(caller),
        )

    def _context(self, caller: Caller, request: Request) -> Mapping[str, Any]:
        context: dict[str, Any] = {
            "aws:principalarn": caller.owner_arn,
            "aws:principalaccount": self._account_id,
            "aws:sourceip": "127.0.0.1",
            "aws:currenttime": datetime.now(UTC).isoformat(),
        }
        if not caller.is_role:
            context["aws:username"] = caller.name
        for key, value in _tags_of(request).items():
            context[f"aws:resourcetag/{key}".lower()] = value
        return context


def _token(asked: Asked) -> str | None:
    query: str | None = asked.query.get("X-Amz-Security-Token")
    return asked.environ.get("HTTP_X_AMZ_SECURITY_TOKEN") or query


def _policies_of_resource(request: Request) -> Iterable[Any]:
    arn = request.resource or ""
    if not arn.startswith("arn:aws:s3:::"):
        return []
    return moto_iam.policy_of_bucket(arn.removeprefix("arn:aws:s3:::").partition("/")[0])


def _tags_of(request: Request) -> Mapping[str, str]:
    """Return the tags of a job of Batch, which its children share."""
    arn = request.resource or ""
    if not arn.startswith("arn:aws:batch:") or ":job/" not in arn or arn.endswith("*"):
        return {}
    parent = ":".join(arn.split(":")[:6])
    return moto_seams.tags_of_job(arn.split(":")[3], parent)
