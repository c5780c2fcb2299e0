"""Writes docs/reference/aws-calls.md: every AWS call of a run's whole life, and what allowed it.

``python docs/make_aws_calls.py`` sets an emulated account up as its administrator, runs, stops,
resumes, looks at and fetches a small scan as a user who has the policy for users alone, and takes
all down again. The emulator enforces the roles of the deployed templates and keeps each decision.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import boto3

import aws_batch_emulator
from aws_batch_emulator import OwnEmulator
from tomobatch import write_phantom

REPOSITORY = Path(__file__).resolve().parents[1]
PAGE = REPOSITORY / "docs" / "reference" / "aws-calls.md"
WORKFLOW = ("Snakefile", "rules", "scripts", "envs", "profiles", "docs", "cloudformation")
CONFIG = "scans: {}\nchunks: {projections: 30, slices: 6}\nvolume: {levels: 2}\n"
TOMOBATCH = [sys.executable, "-c", "from tomobatch.cli import main; main()"]
PATIENCE_S = 900
HEAD = """# Every AWS call, and what allows it

Written by `python docs/make_aws_calls.py`: setup by an administrator; estimate, run --detach,
status, stop, resume, logs, cost, doctor, fetch and clean by a user who has the policy for users
alone; teardown. The emulator held each call against the policies of the deployed templates. What an
administrator calls, and what CloudFormation does in setup, is allowed by their own rights.
"""


def main() -> None:
    """Go through the life of a run and write the page."""
    variables = {"TOMOBATCH_DEVICE": "cpu"}
    with (
        tempfile.TemporaryDirectory() as folder,
        aws_batch_emulator.start(stack=None, slots=3, grace_s=3, variables=variables) as emulator,
    ):
        account = Account(emulator, Path(folder))
        account.live()
        PAGE.write_text(page(emulator.decisions(), account.statements), encoding="utf-8")
        wrong = [each for each in emulator.decisions() if not each["allowed"]]
    if wrong:
        raise SystemExit(f"denied: {json.dumps(wrong, indent=1)}")


class Account:
    """An account, and a folder in which people work with it."""

    def __init__(self, emulator: OwnEmulator, folder: Path) -> None:
        self._emulator = emulator
        self._folder = folder
        self.statements: dict[tuple[str, str], list[str]] = {}
        for name in WORKFLOW:
            (folder / name).symlink_to(REPOSITORY / name)
        (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
        (folder / "scans").mkdir()
        scan = folder / "scans" / "tiny.h5"
        write_phantom(scan, size=48, n_rows=12, n_angles=60, n_flats=4, n_darks=4, seed=3)

    def live(self) -> None:
        """Set up, run, look, fetch and take down."""
        self._administrator("setup", "--yes")
        iam = self._client("iam")
        self.statements = statements(iam)
        policy = next(arn for arn in policies(iam) if "-User" in arn)
        self._emulator.grant(policy)
        self._user("estimate", "scans/tiny.h5")
        # An array for every step, on both queues: what pilots call besides is S3's alone.
        self._user("run", "scans/tiny.h5", "--detach", "--machines", "100", "--queue", "gpu")
        self._wait(lambda: any("-preprocess-" in j["jobName"] for j in self._emulator.jobs()))
        self._user("stop", "tiny", "--yes")
        self._emulator.wait_until_idle(PATIENCE_S)
        self._user("resume", "tiny")
        self._wait(lambda: "finished" in self._user("status", "tiny"), every_s=3)
        for words in (
            ("logs", "tiny"),
            ("cost", "tiny"),
            ("runs",),
            ("fetch", "tiny"),
            ("clean", "tiny", "--yes"),
        ):
            self._user(*words)
        self._user("doctor", "--aws", ok=False)  # there is no image in the registry
        iam.detach_user_policy(UserName="user", PolicyArn=policy)
        self._administrator("teardown", "--delete-data", "--yes")

    def _administrator(self, *words: str) -> str:
        return self._call(self._emulator.administrator, words, ok=True)

    def _user(self, *words: str, ok: bool = True) -> str:
        return self._call(self._emulator.environment, words, ok=ok)

    def _call(self, variables: dict[str, str], words: tuple[str, ...], *, ok: bool) -> str:
        home = {"XDG_CONFIG_HOME": str(self._folder / "home")}
        # boto3's own variable for the Region is left out: the documentation names AWS_REGION alone.
        kept = {k: v for k, v in variables.items() if k != "AWS_DEFAULT_REGION"}
        others = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "TOMOBATCH_"))}
        done = subprocess.run(
            [*TOMOBATCH, *words],
            cwd=self._folder,
            env={**others, **kept, **home},
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if ok and done.returncode:
            raise SystemExit(f"{words}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def _wait(self, condition: Any, every_s: float = 0.2) -> None:  # noqa: ANN401
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > deadline:
                raise SystemExit("the run does not go on")
            time.sleep(every_s)

    def _client(self, service: str) -> Any:  # noqa: ANN401
        keys = self._emulator.administrator
        return boto3.client(
            service,
            endpoint_url=keys["AWS_ENDPOINT_URL"],
            region_name=keys["AWS_REGION"],
            aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        )


def policies(iam: Any) -> list[str]:  # noqa: ANN401
    """Return the ARNs of the account's own managed policies."""
    return [policy["Arn"] for policy in iam.list_policies(Scope="Local")["Policies"]]


def statements(iam: Any) -> dict[tuple[str, str], list[str]]:  # noqa: ANN401
    """Return the actions of every statement of the deployment, by policy and Sid."""
    documents = {}
    for role in iam.list_roles()["Roles"]:
        for name in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
            found = iam.get_role_policy(RoleName=role["RoleName"], PolicyName=name)
            documents[name] = found["PolicyDocument"]
    for arn in policies(iam):
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]
        documents[arn.rpartition("/")[2]] = found["Document"]
    return {
        (name, str(statement.get("Sid"))): actions_of(statement)
        for name, document in documents.items()
        for statement in document["Statement"]
        if statement and statement["Effect"] == "Allow"
    }


def actions_of(statement: dict[str, Any]) -> list[str]:
    """Return a statement's actions as a list."""
    actions = statement["Action"]
    return [actions] if isinstance(actions, str) else list(actions)


def page(decisions: list[dict[str, Any]], granted: dict[tuple[str, str], list[str]]) -> str:
    """Return the page: a table for each caller, and what of the rights no call used."""
    by_caller = defaultdict(list)
    for each in decisions:
        by_caller[plain(each["caller"])].append(each)
    lines = [HEAD]
    for caller in sorted(by_caller):
        lines += [f"## {caller}", "", "| call | needs | allowed by |", "|---|---|---|"]
        rows = {
            f"| {d['call']} | {d['action']} | {d['policy']}: {d['statement']} |"
            for d in by_caller[caller]
            if d["allowed"]
        }
        lines += [*sorted(rows), ""]
    used = {(d["policy"], d["statement"], d["action"]) for d in decisions}
    left = [
        f"| {policy} | {sid} | {action} | {why(policy, action)} |"
        for (policy, sid), actions in sorted(granted.items())
        for action in actions
        if (policy, sid, action) not in used
    ]
    lines += [
        REST,
        "| policy | statement | action | why it stays |",
        "|---|---|---|---|",
        *left,
        "",
    ]
    return "\n".join(lines)


REST = """## What this life did not call
"""
WHY = {
    "control-access batch:TerminateJob": "ends jobs where a controller is interrupted",
    "control-access logs:GetLogEvents": "reads the log of a job that fails",
    "control-access sns:Publish": "sends a mail where a detached run fails",
    "data-access s3:DeleteObject": "removes what a job made that is run again",
    "start-containers ecr:BatchCheckLayerAvailability": "asked by a machine's container engine",
    "User s3:ListBucketMultipartUploads": "an upload that broke off goes on where it was",
    "User s3:ListMultipartUploadParts": "an upload that broke off goes on where it was",
    "User ecr:": "`push`, which needs a Docker engine",
    "join-cluster ": "a machine joins its cluster: the ECS agent, which the emulator has not",
    "s3:AbortMultipartUpload": "ends an upload of an object above 8 MB that broke off",
}
"""Beginning of a policy's and an action's name, or the end of it, to what the right is for."""


def why(policy: str, action: str) -> str:
    """Return what a right is for that no call of this life needed."""
    right = f"{'User' if '-User-' in policy else policy} {action}"
    for part, reason in WHY.items():
        if right.startswith(part) or right.endswith(f" {part}"):
            return reason
    raise SystemExit(f"no call uses {right}, and nothing here says why it stays")


def plain(caller: str) -> str:
    """Return a role's name as the template has it."""
    found = re.search(r"-(\w+Role)-", caller)
    return found[1] if found else caller


if __name__ == "__main__":
    main()
