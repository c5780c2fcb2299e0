"""What runs with rights of ours, or is built into the image, is named by what it holds."""

import re

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
