"""The page of AWS calls tells of each right of the templates: who uses it, or why it stays."""

import re

import pytest
from tests.infrastructure.templates import Template

USED = re.compile(r"^\| \S+ \| (?P<action>\S+) \| (?P<policy>\S+): (?P<sid>\S+) \|$", re.MULTILINE)
LEFT = re.compile(
    r"^\| (?P<policy>\S+) \| (?P<sid>\w+) \| (?P<action>\S+:\S+) \| (?P<why>.*\S) \|$", re.MULTILINE
)


@pytest.fixture(scope="module")
def page(repository):
    return (repository / "docs" / "reference" / "aws-calls.md").read_text(encoding="utf-8")


def told(page, pattern):
    return {(each["policy"], each["sid"], each["action"]) for each in pattern.finditer(page)}


def granted():
    iam = Template("iam")
    policies = {
        each.get("PolicyName") or each["ManagedPolicyName"]: each["PolicyDocument"]["Statement"]
        for kind in ("Policy", "ManagedPolicy")
        for each in iam.resources(f"AWS::IAM::{kind}").values()
    }
    return {
        (name, statement["Sid"], action)
        for name, statements in policies.items()
        for statement in statements
        if statement["Effect"] == "Allow"
        for action in actions(statement)
    }


def actions(statement):
    action = statement["Action"]
    return [action] if isinstance(action, str) else action


def test_a_right_is_used_or_says_why_it_stays(page):
    rights = granted()
    assert len(rights) > 50
    used = {each for each in told(page, USED) if each[0] != "administrator"}
    left = told(page, LEFT)
    assert used | left == rights, "make aws-calls"
    assert used & left == set()
