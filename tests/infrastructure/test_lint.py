"""The templates and the Dockerfile satisfy their linters; each own rule is seen to refuse."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.infrastructure.templates import FOLDER

RULES = FOLDER / "cfn-lint-rules.txt"
BIN = Path(sys.executable).parent

BROKEN = [
    ("batch", "      Timeout: {AttemptDurationSeconds: !Ref JobTimeoutSeconds}\n", "", "for ever"),
    (
        "batch",
        "AttemptDurationSeconds: !Ref JobTimeoutSeconds",
        "AttemptDurationSeconds: 5",
        "60 s",
    ),
    ("batch", "Attempts: !Ref Attempts", "Attempts: 30", "10 attempts"),
    ("batch", "Privileged: false", "Privileged: true", "privileged"),
    ("batch", "        Type: FARGATE_SPOT\n", "        Type: FARGATE\n", "are spot"),
    ("batch", "SPOT_PRICE_CAPACITY_OPTIMIZED", "BEST_FIT", "price and capacity"),
    ("batch", "HttpTokens: required", "HttpTokens: optional", "IMDSv2"),
    (
        "network",
        "SourceSecurityGroupId: !Ref SecurityGroup",
        "CidrIp: 0.0.0.0/0",
        "nothing comes in",
    ),
]


def cfn_lint(*templates):
    return subprocess.run(
        [BIN / "cfn-lint", "--custom-rules", RULES, "--", *templates],
        check=False,
        capture_output=True,
        text=True,
    )


def test_all_templates_are_clean():
    done = cfn_lint(*FOLDER.glob("*.yaml"))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("name", "good", "bad", "message"), BROKEN)
def test_each_rule_of_ours_refuses(tmp_path, name, good, bad, message):
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    assert good in text
    broken = tmp_path / f"{name}.yaml"
    broken.write_text(text.replace(good, bad, 1), encoding="utf-8")
    done = cfn_lint(broken)
    assert done.returncode != 0
    assert message in done.stdout


def test_each_rule_of_ours_is_broken_above():
    rules = [line for line in RULES.read_text().splitlines() if not line.startswith("#")]
    for rule in rules:
        assert [message for *_, message in BROKEN if message in rule], rule


def test_the_dockerfile_is_clean(repository):
    done = subprocess.run(
        [BIN / "hadolint", repository / "docker" / "Dockerfile"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
