"""Who may choose the images of rules, and what that does not let them do."""

import pytest
from tests.infrastructure.arns import BATCH
from tests.infrastructure.policies import is_allowed, statements_of
from tests.infrastructure.templates import Template


@pytest.fixture
def user(iam):
    return iam.only("AWS::IAM::ManagedPolicy")["PolicyDocument"]["Statement"]


COPY = f"{BATCH}:job-definition/tomobatch-cpu_0123456789abcdef"
IMAGES = [
    ("batch:RegisterJobDefinition", COPY, {"batch:Privileged": "false"}, True),
    ("batch:RegisterJobDefinition", COPY, {}, True),
    ("batch:RegisterJobDefinition", COPY, {"batch:Privileged": "true"}, False),
    ("batch:RegisterJobDefinition", f"{BATCH}:job-definition/tomobatch-cpu", {}, False),
    ("batch:RegisterJobDefinition", f"{BATCH}:job-definition/tomobatch-head_01", {}, False),
    ("batch:RegisterJobDefinition", f"{BATCH}:job-definition/tomobatch-cpu-b_01", {}, False),
    ("batch:SubmitJob", f"{COPY}:1", {}, True),
    ("batch:DescribeJobDefinitions", "*", {}, True),
    ("batch:DeregisterJobDefinition", f"{COPY}:1", {}, False),
]


@pytest.mark.parametrize(("action", "resource", "context", "allowed"), IMAGES)
def test_who_may_choose_images_registers_copies_that_are_not_privileged(
    iam, user, action, resource, context, allowed
):
    assert is_allowed(statements_of(iam, "HeadJobRole"), action, resource, context) is allowed
    assert is_allowed(user, action, resource, context) is allowed
    assert not is_allowed(statements_of(iam, "JobRole"), action, resource, context)


def test_only_the_roles_of_jobs_are_passed_on_and_only_to_tasks(iam, user):
    passing = [each for each in user if each["Action"] == "iam:PassRole"]
    (statement,) = passing
    assert len(statement["Resource"]) == 2
    assert not any("Head" in str(role) for role in statement["Resource"])
    to_tasks = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": to_tasks}
    assert statement in statements_of(iam, "HeadJobRole")


def test_nobody_registers_a_definition_unless_the_lab_wants_it():
    plain = Template("iam")
    statements = [
        *plain.only("AWS::IAM::ManagedPolicy")["PolicyDocument"]["Statement"],
        *statements_of(plain, "HeadJobRole"),
    ]
    assert not is_allowed(statements, "batch:RegisterJobDefinition", COPY)
    assert not any(each["Action"] == "iam:PassRole" for each in statements)
