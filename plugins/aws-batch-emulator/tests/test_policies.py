"""Policies are evaluated as the IAM user guide says, "Policy evaluation logic" and below it."""

import pytest

from aws_batch_emulator.access.conditions import conditions_hold
from aws_batch_emulator.access.policies import Policy, Request, decide, is_allowed

OBJECT = "arn:aws:s3:::data/runs/a.txt"


def allow(action="s3:GetObject", resource="*", **more):
    return {"Sid": "Yes", "Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action="s3:*", resource="*", **more):
    return {"Sid": "No", "Effect": "Deny", "Action": action, "Resource": resource, **more}


def policy(*statements, name="own"):
    return Policy(name, statements)


# "IAM JSON policy elements: Action", "... NotAction", "... Resource", "... NotResource".
@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        (allow("s3:GetObject"), True),
        (allow("S3:getobject"), True),
        (allow("s3:Get*"), True),
        (allow("s3:GetObjec?"), True),
        (allow("*"), True),
        (allow(["s3:PutObject", "s3:GetObject"]), True),
        (allow("s3:Put*"), False),
        (allow(resource="arn:aws:s3:::data/*"), True),
        (allow(resource="arn:aws:s3:::data/RUNS/*"), False),
        (allow(resource="arn:aws:s3:::data"), False),
        (allow(resource=["arn:aws:s3:::other/*", "arn:aws:s3:::data/runs/?.txt"]), True),
        (allow(resource="arn:aws:s3:::data/runs/[a].txt"), False),
        ({"Effect": "Allow", "NotAction": "s3:Put*", "Resource": "*"}, True),
        ({"Effect": "Allow", "NotAction": "s3:Get*", "Resource": "*"}, False),
        ({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::data/*"}, False),
        ({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::other/*"}, True),
    ],
)
def test_actions_and_resources(statement, allowed):
    assert is_allowed([statement], "s3:GetObject", OBJECT) is allowed


def test_a_star_in_an_arn_reaches_over_no_colon():
    """IAM JSON policy elements: Resource, "Incomplete ARN"."""
    statement = allow("batch:SubmitJob", "arn:aws:batch:*:job-queue/lab-*")
    queue = "arn:aws:batch:eu-central-1:123456789012:job-queue/lab-cpu"
    assert not is_allowed([statement], "batch:SubmitJob", queue)
    for whole in ("arn:aws:batch:*:*:job-queue/lab-*", "arn:aws:batch", "*"):
        assert is_allowed([allow("batch:SubmitJob", whole)], "batch:SubmitJob", queue)


# "Determining whether a request is allowed or denied within an account".
def test_nothing_is_allowed_unless_something_allows_it_and_a_deny_wins():
    request = Request("s3:GetObject", OBJECT)
    assert decide(request, []).reason == (
        "because no identity-based policy allows the s3:GetObject action"
    )
    allowed = decide(request, [policy(allow("s3:Put*"), allow())])
    assert (allowed.allowed, allowed.policy, allowed.statement) == (True, "own", "Yes")
    both = decide(request, [policy(allow()), policy(deny(), name="other")])
    assert (both.allowed, both.policy, both.statement) == (False, "other", "No")
    assert both.reason == "with an explicit deny in an identity-based policy"


def test_the_policy_of_a_resource_allows_and_denies_too():
    request = Request("s3:GetObject", OBJECT, principal={"AWS": ["arn:aws:iam::1:role/job"]})
    grant = policy(allow(Principal={"AWS": "arn:aws:iam::1:role/job"}), name="bucket")
    assert decide(request, [], [grant]).policy == "bucket"
    elsewhere = policy(allow(Principal={"AWS": "arn:aws:iam::1:role/other"}))
    assert not decide(request, [], [elsewhere]).allowed
    refusal = decide(request, [policy(allow())], [policy(deny(Principal="*"))])
    assert refusal.reason == "with an explicit deny in a resource-based policy"
    spared = policy(deny(NotPrincipal={"AWS": "arn:aws:iam::1:role/job"}))
    assert decide(request, [policy(allow())], [spared]).allowed


# "Permissions boundaries for IAM entities".
def test_a_boundary_must_allow_as_well():
    request = Request("s3:GetObject", OBJECT)
    own = [policy(allow("*"))]
    assert decide(request, own, boundary=policy(allow("s3:*"))).allowed
    refused = decide(request, own, boundary=policy(allow("batch:*")))
    assert refused.reason == "because no permissions boundary allows the s3:GetObject action"


# "IAM JSON policy elements: Condition operators".
@pytest.mark.parametrize(
    ("operator", "wanted", "value", "holds"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", ["b", "a"], "a", True),
        ("StringEquals", "a", "A", False),
        ("StringEquals", "a", None, False),
        ("StringEqualsIfExists", "a", None, True),
        ("StringEqualsIfExists", "a", "b", False),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringNotEquals", ["a", "b"], "c", True),
        ("StringNotEquals", "a", None, True),
        ("StringEqualsIgnoreCase", "a", "A", True),
        ("StringLike", "runs/*", "runs/1", True),
        ("StringLike", "runs/*", "runs", False),
        ("StringNotLike", "runs/*", "runs/1", False),
        ("NumericLessThan", "1.2", "1.1", True),
        ("NumericLessThan", "1.2", "1.2", False),
        ("NumericGreaterThanEquals", 5, 5, True),
        ("DateLessThan", "2030-01-01T00:00:00Z", "2026-01-01T00:00:00Z", True),
        ("DateGreaterThan", "2030-01-01T00:00:00Z", "2026-01-01T00:00:00Z", False),
        ("Bool", False, False, True),
        ("Bool", "true", True, True),
        ("Bool", "false", True, False),
        ("IpAddress", "127.0.0.0/8", "127.0.0.1", True),
        ("NotIpAddress", "10.0.0.0/8", "127.0.0.1", True),
        ("ArnLike", "arn:aws:iam::*:role/lab-*", "arn:aws:iam::1:role/lab-job", True),
        ("ArnEquals", "arn:aws:iam::1:role/a", "arn:aws:iam::1:role/b", False),
        ("Null", "true", None, True),
        ("Null", "false", None, False),
        ("Null", True, "x", False),
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "b"], True),
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
        ("ForAllValues:StringEquals", "a", None, True),
        ("ForAnyValue:StringEquals", ["a", "b"], ["c", "b"], True),
        ("ForAnyValue:StringEquals", "a", None, False),
    ],
)
def test_conditions(operator, wanted, value, holds):
    context = {} if value is None else {"some:key": value}
    assert conditions_hold({operator: {"Some:Key": wanted}}, context) is holds


def test_every_operator_and_every_key_must_hold():
    conditions = {"StringEquals": {"a": "1", "b": "2"}, "Bool": {"c": "true"}}
    assert conditions_hold(conditions, {"a": "1", "b": "2", "c": "true"})
    assert not conditions_hold(conditions, {"a": "1", "b": "x", "c": "true"})
    assert not conditions_hold(conditions, {"a": "1", "b": "2", "c": "false"})


@pytest.mark.parametrize("operator", ["StringMatches", "ForSomeValues:StringEquals"])
def test_an_unknown_operator_is_no_condition_that_holds(operator):
    with pytest.raises(ValueError, match=operator):
        conditions_hold({operator: {"a": "1"}}, {"a": "1"})


# "IAM policy elements: Variables and tags".
@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [
        ("arn:aws:s3:::data/${aws:username}/*", True),
        ("arn:aws:s3:::data/${aws:userid}/*", False),
        ("arn:aws:s3:::data/${aws:userid, 'ada'}/*", True),
        ("arn:aws:s3:::data/${*}/*", False),
    ],
)
def test_variables(pattern, allowed):
    context = {"aws:username": "ada"}
    statements = [allow(resource=pattern)]
    assert is_allowed(statements, "s3:GetObject", "arn:aws:s3:::data/ada/x", context) is allowed


def test_what_a_variable_gives_is_no_pattern():
    assert conditions_hold({"StringLike": {"a": "${*}x"}}, {"a": "*x"})
    assert conditions_hold({"StringEquals": {"a": "${*}x"}}, {"a": "*x"})
    assert not conditions_hold({"StringLike": {"a": "${b}"}}, {"a": "ada", "b": "*"})
