"""What a pipeline that builds the image may do, and which pipelines are let in."""

import pytest
from tests.infrastructure.arns import ACCOUNT, ECR, NO_PART_IN_RUNS, STACKS
from tests.infrastructure.policies import is_allowed, statements_of, trust_of
from tests.infrastructure.resolved import EVERYONE
from tests.infrastructure.templates import Template

GITHUB = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"

ORGANIZATION, PROJECT = EVERYONE["CircleciOrganization"], EVERYONE["CircleciProject"]

USER_ID = "77777777-8888-9999-aaaa-bbbbbbbbbbbb"
CIRCLECI = f"oidc.circleci.com/org/{ORGANIZATION}"

PUSH = [
    ("ecr:GetAuthorizationToken", "*", True),
    ("ecr:PutImage", f"{ECR}/tomobatch", True),
    ("ecr:UploadLayerPart", f"{ECR}/tomobatch", True),
    ("ecr:PutImage", f"{ECR}/another", False),
    ("ecr:BatchDeleteImage", f"{ECR}/tomobatch", False),
    ("ecr:DeleteRepository", f"{ECR}/tomobatch", False),
    ("ecr:PutImageTagMutability", f"{ECR}/tomobatch", False),
    *NO_PART_IN_RUNS,
    ("cloudformation:UpdateStack", f"{STACKS}/tomobatch-batch/1", False),
]


@pytest.mark.parametrize("role", ["GithubPushRole", "CircleciPushRole"])
@pytest.mark.parametrize(("action", "resource", "allowed"), PUSH)
def test_a_pipeline_only_pushes_the_image(iam, role, action, resource, allowed):
    assert is_allowed(statements_of(iam, role), action, resource) is allowed


@pytest.mark.parametrize(
    ("subject", "audience", "allowed"),
    [
        ("repo:lab/tomobatch:ref:refs/heads/main", "sts.amazonaws.com", True),
        ("repo:lab/tomobatch:ref:refs/tags/v1.2.0", "sts.amazonaws.com", True),
        ("repo:lab/tomobatch:ref:refs/heads/feature", "sts.amazonaws.com", False),
        ("repo:lab/tomobatch:pull_request", "sts.amazonaws.com", False),
        ("repo:thief/tomobatch:ref:refs/heads/main", "sts.amazonaws.com", False),
        ("repo:lab/tomobatch:ref:refs/heads/main", "elsewhere", False),
    ],
)
def test_github_pushes_from_main_and_version_tags_only(iam, subject, audience, allowed):
    context = {
        "token.actions.githubusercontent.com:sub": subject,
        "token.actions.githubusercontent.com:aud": audience,
    }
    trust = trust_of(iam, "GithubPushRole")
    asked = is_allowed(
        trust, "sts:AssumeRoleWithWebIdentity", context=context, principal={"Federated": GITHUB}
    )
    assert asked is allowed


@pytest.mark.parametrize(
    ("project", "origin", "ref", "allowed"),
    [
        (PROJECT, "github.com/lab/tomobatch", "refs/heads/main", True),
        (PROJECT, "github.com/lab/tomobatch", "refs/tags/v0.1.0", True),
        (PROJECT, "github.com/lab/tomobatch", "refs/heads/main-2", False),
        (PROJECT, "github.com/lab/tomobatch", "refs/heads/feature", False),
        (PROJECT, "github.com/lab/tomobatch", "refs/tags/beta", False),
        (ORGANIZATION, "github.com/lab/tomobatch", "refs/heads/main", False),
        # A fork whose pipelines run in the project.
        (PROJECT, "github.com/fork/tomobatch", "refs/heads/main", False),
        (
            PROJECT,
            "github.com/fork/tomobatch",
            "refs/heads/x/vcs-origin/github.com/lab/tomobatch/vcs-ref/refs/heads/main",
            False,
        ),
    ],
)
def test_circleci_pushes_from_main_and_version_tags_only(iam, project, origin, ref, allowed):
    subject = f"project/{project}/user/{USER_ID}/vcs-origin/{origin}/vcs-ref/{ref}"
    context = {
        f"{CIRCLECI}:sub": f"org/{ORGANIZATION}/{subject}",
        f"{CIRCLECI}:aud": ORGANIZATION,
    }
    provider = {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{CIRCLECI}"}
    trust = trust_of(iam, "CircleciPushRole")
    asked = is_allowed(trust, "sts:AssumeRoleWithWebIdentity", context=context, principal=provider)
    assert asked is allowed
    another = {**context, f"{CIRCLECI}:aud": PROJECT}
    assert not is_allowed(
        trust, "sts:AssumeRoleWithWebIdentity", context=another, principal=provider
    )


def test_no_push_role_unless_a_pipeline_is_named():
    template = Template("iam")
    assert not [name for name in template.resources("AWS::IAM::Role") if "Push" in name]
    assert "PushImage" not in template.resources("AWS::IAM::Policy")
