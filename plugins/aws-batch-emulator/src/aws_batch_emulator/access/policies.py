"""Policies, evaluated as AWS evaluates them.

In one account a request is allowed if a policy of the caller or of the resource allows it, and none
denies it; a boundary must allow what the caller's own policies do (IAM user guide, "Policy
evaluation logic").
"""

import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aws_batch_emulator.access.conditions import (
    Context,
    arn_glob,
    as_list,
    conditions_hold,
    fill,
    glob,
)

Statement = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy's statements, under the name by which it is told."""

    name: str
    statements: tuple[Statement, ...]

    @classmethod
    def from_json(cls, name: str, text: str) -> "Policy":
        """Read a policy document."""
        return cls(name, _read(text))


@dataclass(frozen=True, slots=True)
class Request:
    """One action on one resource.

    Parameters
    ----------
    action
        As IAM writes it, ``s3:GetObject``.
    resource
        Its ARN, or ``*`` for an action that knows no resource. None: of no resource at all, as in
        a policy of trust.
    context
        What conditions may ask for, by keys in lower case.
    principal
        The caller, for policies that name principals: ``{"AWS": [ARNs it goes by]}`` or
        ``{"Service": "..."}``.
    """

    action: str
    resource: str | None = None
    context: Context = field(default_factory=dict)
    principal: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What the policies say of a request, and which statement said it.

    Parameters
    ----------
    allowed
        Whether the request is allowed.
    policy, statement
        Name of the policy, and the Sid (else the number) of the statement, that decided; empty
        where none did.
    reason
        Why it is denied, as AWS words it.
    """

    allowed: bool
    policy: str = ""
    statement: str = ""
    reason: str = ""


def decide(
    request: Request,
    identity: Iterable[Policy],
    resource: Iterable[Policy] = (),
    boundary: Policy | None = None,
) -> Decision:
    """Evaluate a request against the policies of its caller and of its resource."""
    identity, resource = list(identity), list(resource)
    for kind, policies in (("an identity", identity), ("a resource", resource)):
        if denied := _first(policies, request, "Deny"):
            reason = f"with an explicit deny in {kind}-based policy"
            return Decision(False, *denied, reason=reason)
    if by_resource := _first(resource, request, "Allow"):
        return Decision(True, *by_resource)
    allowed = _first(identity, request, "Allow")
    if allowed and (boundary is None or _first([boundary], request, "Allow")):
        return Decision(True, *allowed)
    kind = "permissions boundary" if allowed else "identity-based policy"
    return Decision(False, reason=f"because no {kind} allows the {request.action} action")


def is_allowed(
    statements: Sequence[Statement],
    action: str,
    resource: str | None = None,
    context: Context | None = None,
    principal: Mapping[str, Any] | None = None,
) -> bool:
    """Whether statements allow a request, and none of them denies it."""
    keys = {key.lower(): value for key, value in (context or {}).items()}
    request = Request(action, resource, keys, principal)
    return decide(request, [Policy("", tuple(statements))]).allowed


def applies(statement: Statement, request: Request) -> bool:
    """Whether a statement is about a request."""
    return (
        _names(statement, "Action", lambda p: glob(p, request.action, fold=True))
        and _names_resource(statement, request)
        and _names_principal(statement, request)
        and conditions_hold(statement.get("Condition") or {}, request.context)
    )


def _first(policies: Iterable[Policy], request: Request, effect: str) -> tuple[str, str] | None:
    for policy in policies:
        for number, statement in enumerate(policy.statements, 1):
            if statement["Effect"] == effect and applies(statement, request):
                return policy.name, str(statement.get("Sid") or number)
    return None


def _names(statement: Statement, element: str, fits: Any) -> bool:  # noqa: ANN401
    """Whether ``Action`` or ``Resource`` fits, or the ``Not`` form of it does not."""
    if f"Not{element}" in statement:
        return not any(map(fits, as_list(statement[f"Not{element}"])))
    return any(map(fits, as_list(statement[element])))


def _names_resource(statement: Statement, request: Request) -> bool:
    resource = request.resource
    if resource is None or not {"Resource", "NotResource"} & statement.keys():
        return True
    return _names(statement, "Resource", lambda p: arn_glob(fill(p, request.context), resource))


def _names_principal(statement: Statement, request: Request) -> bool:
    """Whether the caller is named; a policy of the caller itself names nobody."""
    if "NotPrincipal" in statement:
        return not _is_among(statement["NotPrincipal"], request.principal or {})
    if "Principal" not in statement:
        return True
    return _is_among(statement["Principal"], request.principal or {})


def _is_among(granted: Any, principal: Mapping[str, Any]) -> bool:  # noqa: ANN401
    if granted == "*":
        return True
    return any(
        named == "*" or named in as_list(names)
        for kind, names in principal.items()
        for named in as_list(granted.get(kind, []))
    )


@functools.lru_cache(maxsize=256)
def _read(text: str) -> tuple[Statement, ...]:
    statements = json.loads(text)["Statement"]
    return tuple(statement for statement in as_list(statements) if statement)
