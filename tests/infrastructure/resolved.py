"""Every template, worked out for the choices that change what it makes, as text to compare.

``python -m tests.infrastructure.resolved`` writes the snapshots anew: read their difference, it is
what a deployment will see.
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import yaml
from tests.infrastructure.policies import statements_of, trust_of
from tests.infrastructure.templates import Template

FOLDER = Path(__file__).parent / "snapshots"
EVERYONE = {
    "GithubRepository": "lab/tomobatch",
    "CircleciOrganization": "11111111-2222-3333-4444-555555555555",
    "CircleciProject": "66666666-7777-8888-9999-000000000000",
    "CircleciRepository": "github.com/lab/tomobatch",
    "ReadBuckets": "beamline-a,beamline-b",
    "ImagesByRule": "yes",
}
EXISTING = {"ExistingVpc": "vpc-1", "ExistingSubnets": "subnet-1,subnet-2"}
CASES = {
    "iam": ("iam", {}),
    "iam-all": ("iam", EVERYONE),
    "iam-github": ("iam", {"GithubRepository": EVERYONE["GithubRepository"]}),
    "iam-circleci": ("iam", {k: v for k, v in EVERYONE.items() if k.startswith("Circleci")}),
    "iam-existing-provider": ("iam", EVERYONE | {"GithubProvider": "existing"}),
    "storage": ("storage", {}),
    "ecr": ("ecr", {}),
    "network": ("network", {}),
    "network-two-zones": ("network", {"Zones": "2", "InterfaceEndpoints": "yes"}),
    "network-private": ("network", {"SubnetKind": "private"}),
    "network-existing": ("network", EXISTING),
    "network-existing-all": (
        "network",
        EXISTING | {"Zones": "3", "InterfaceEndpoints": "yes", "SubnetKind": "public"},
    ),
    "gpu-ami": ("gpu-ami", {"StockImage": "ami-1"}),
    "gpu-ami-pulled": ("gpu-ami", {"GpuImage": "pulled"}),
    "batch": ("batch", {"GpuAmi": "ami-1"}),
    "batch-fargate": ("batch", {"GpuAmi": "ami-1", "Fargate": "yes", "FairShare": "yes"}),
    "batch-all": (
        "batch",
        {"GpuAmi": "ami-1", "NoticeEmail": "lab@example.org", "FairShare": "yes"}
        | {"BatchServiceRole": "arn:aws:iam::123456789012:role/batch", "OnDemand": "DISABLED"},
    ),
}


def resolved(case: str) -> str:
    """Return all that a template says in one case, as YAML."""
    name, parameters = CASES[case]
    template = Template(name, **parameters)
    resources = {
        key: {
            **{part: value for part, value in resource.items() if part != "Properties"},
            "Properties": template.resolve(resource.get("Properties", {})),
        }
        for key, resource in template.data["Resources"].items()
        if template.exists(resource)
    }
    return _as_text(
        {
            "Conditions": template.data.get("Conditions", {}),
            "Parameters": template.data["Parameters"],
            "Resources": resources,
            "Outputs": template.outputs(),
        }
    )


def actions() -> str:
    """Return who may do what to what, and under which condition, one line each."""
    lines = []
    for case, folder in (("iam-all", "iam"), ("gpu-ami-pulled", "gpu-ami")):
        template = Template(folder, **CASES[case][1])
        for role in template.resources("AWS::IAM::Role"):
            lines += [_line(role, "may be taken:", each) for each in trust_of(template, role)]
            for statement in statements_of(template, role):
                lines += _lines(role, statement)
            managed = template.resources("AWS::IAM::Role")[role].get("ManagedPolicyArns", [])
            lines += [f"{role} has {arn}" for arn in managed]
        for name, policy in template.resources("AWS::IAM::ManagedPolicy").items():
            for statement in policy["PolicyDocument"]["Statement"]:
                lines += _lines(name, statement)
    return "\n".join(lines) + "\n"


def _lines(role: str, statement: dict) -> list[str]:
    actions = statement["Action"]
    return [
        _line(role, action, {**statement, "Action": None})
        for action in sorted(actions if isinstance(actions, list) else [actions])
    ]


def _line(role: str, action: str, statement: dict) -> str:
    rest = {key: value for key, value in statement.items() if value is not None and key != "Sid"}
    effect = rest.pop("Effect")
    return f"{role} {effect} {action} {json.dumps(rest, sort_keys=True)}"


def _as_text(data: object) -> str:
    return yaml.safe_dump(data, sort_keys=True, width=100)


SNAPSHOTS: dict[Path, Callable[[], str]] = {
    **{FOLDER / f"{case}.yaml": partial(resolved, case) for case in CASES},
    FOLDER / "actions.txt": actions,
}
"""What makes each snapshot as it should be."""


if __name__ == "__main__":
    for file, make in SNAPSHOTS.items():
        file.write_text(make(), encoding="utf-8")
