"""A small evaluator of IAM policies: would this role be let do that?"""

import json
from fnmatch import fnmatchcase

from tests.infrastructure.templates import Template


def statements_of(template: Template, role: str):
    """Every statement that a template attaches to a role."""
    inline = template.resources("AWS::IAM::Role")[role].get("Policies", [])
    documents = [policy["PolicyDocument"] for policy in inline]
    for policy in template.resources("AWS::IAM::Policy").values():
        if f"<{role}>" in policy["Roles"]:
            documents.append(policy["PolicyDocument"])
    return [statement for document in documents for statement in document["Statement"]]


def trust_of(template: Template, role: str):
    """Statements that say who may take a role."""
    document = template.resources("AWS::IAM::Role")[role]["AssumeRolePolicyDocument"]
    if isinstance(document, str):
        document = json.loads(document)
    return document["Statement"]


def is_allowed(statements, action, resource=None, context=None, principal=None):
    """Whether a request is allowed and not denied.

    Parameters
    ----------
    context
        Keys of the request for conditions.
    principal
        For policies that name principals: ``{"Service": "..."}`` or ``{"Federated": "..."}``.
    """
    applying = [
        statement["Effect"]
        for statement in statements
        if _matches(statement["Action"], action, fold=True)
        and (resource is None or _matches(statement["Resource"], resource))
        and (principal is None or _is_principal(statement["Principal"], principal))
        and _conditions_hold(statement.get("Condition", {}), context or {})
    ]
    return "Deny" not in applying and "Allow" in applying


def _matches(patterns, value, fold=False):
    return any(
        fnmatchcase(value.lower() if fold else value, pattern.lower() if fold else pattern)
        for pattern in _as_list(patterns)
    )


def _is_principal(granted, principal):
    ((kind, name),) = principal.items()
    return granted == "*" or name in _as_list(granted.get(kind, []))


def _conditions_hold(conditions, context):
    return all(
        _condition_holds(operator, _as_list(wanted), context.get(key))
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    )


def _condition_holds(operator, wanted, value):
    name = operator.removesuffix("IfExists")
    if value is None:
        return name != operator
    tests = {
        "StringEquals": lambda text: value == text,
        "StringLike": lambda text: fnmatchcase(value, text),
        "Bool": lambda text: str(value).lower() == str(text).lower(),
        "NumericLessThan": lambda text: float(value) < float(text),
    }
    return any(tests[name](text) for text in wanted)


def _as_list(value):
    return value if isinstance(value, list) else [value]
