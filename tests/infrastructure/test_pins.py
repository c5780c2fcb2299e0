"""What runs with rights of ours, or is built into the image, is named by what it holds."""

import os
import re
import subprocess

import pytest
import yaml

DIGEST = re.compile(r"[^@]+@[0-9a-f]{40}")


def uses(workflow):
    """Walk every action, and every other workflow, that a workflow uses."""
    for job in workflow["jobs"].values():
        for user in (job, *job.get("steps", [])):
            if "uses" in user:
                yield user["uses"]


def test_every_action_is_pinned_by_digest(repository):
    used = [
        action
        for file in (repository / ".github" / "workflows").glob("*.yml")
        for action in uses(yaml.safe_load(file.read_text(encoding="utf-8")))
    ]
    assert len(used) > 5
    assert [action for action in used if not DIGEST.fullmatch(action)] == []


def test_the_base_image_is_pinned_by_digest(repository):
    text = (repository / "docker" / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^ARG BASE_IMAGE=\S+@sha256:[0-9a-f]{64}$", text, re.MULTILINE)
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {
        "${BASE_IMAGE}",
        "runtime",
        "tools",
    }


def test_an_orb_is_named_by_its_whole_version(repository):
    orbs = yaml.safe_load((repository / ".circleci" / "config.yml").read_text())["orbs"]
    assert all(re.fullmatch(r"[^@]+@\d+\.\d+\.\d+", orb) for orb in orbs.values())


@pytest.mark.parametrize(
    ("tag", "rebuilt", "expected"),
    [
        (None, "", "git-COMMIT"),
        ("v9.9.9", "", "9.9.9"),
        (None, "2026-11-30", "git-COMMIT-2026-11-30"),
        # A version is never built anew under its own tag, and what expires is told by git-.
        ("v9.9.9", "2026-11-30", "git-COMMIT-2026-11-30"),
    ],
)
def test_an_image_of_newer_packages_has_a_tag_of_its_own(
    repository, tmp_path, tag, rebuilt, expected
):
    def run(*command):
        who = {f"GIT_{part}": "a@b" for part in ("AUTHOR_NAME", "AUTHOR_EMAIL")}
        who |= {f"GIT_{part}": "a@b" for part in ("COMMITTER_NAME", "COMMITTER_EMAIL")}
        return subprocess.run(
            command, cwd=tmp_path, env=os.environ | who, check=True, capture_output=True, text=True
        ).stdout

    run("git", "init", "--quiet")
    run("git", "commit", "--quiet", "--allow-empty", "--message=one")
    if tag:
        run("git", "tag", tag)
    commit = run("git", "rev-parse", "--short=12", "HEAD").strip()
    install = (".venv/run.stamp", "push", f"REBUILT={rebuilt}")
    told = run("make", "-n", "-f", repository / "Makefile", "-o", *install)
    assert f'--tag "{expected.replace("COMMIT", commit)}"' in told
