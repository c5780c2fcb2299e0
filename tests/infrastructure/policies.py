"""The statements of a template's roles, for the emulator's evaluator of policies."""

import json

from tests.infrastructure.templates import Template

from aws_batch_emulator.access.policies import is_allowed

__all__ = ["is_allowed", "statements_of", "trust_of"]


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
