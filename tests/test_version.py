"""One version, wherever it is written down."""

import re
import tomllib

import pytest
import yaml

from tomobatch import __version__

PROJECTS = ("", "plugins/snakemake-executor-plugin-aws-batch-array", "plugins/aws-batch-emulator")


@pytest.mark.parametrize("project", PROJECTS)
def test_every_distribution_has_it(repository, project):
    text = (repository / project / "pyproject.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)["project"]["version"] == __version__


@pytest.mark.parametrize("project", PROJECTS[:2])
def test_its_changes_are_told_first(repository, project):
    text = (repository / project / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## (\S+), \d{4}-\d\d-\d\d$", text, re.MULTILINE)[1] == __version__


def test_whoever_cites_it_cites_this_one(repository):
    citation = yaml.safe_load((repository / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == __version__


@pytest.mark.parametrize("stack", ["batch", "ecr", "gpu-ami"])
def test_the_stacks_start_its_image_unless_told_otherwise(repository, stack):
    text = (repository / "cloudformation" / f"{stack}.yaml").read_text(encoding="utf-8")
    assert re.search(r"  ImageTag:\n(?:    .*\n)*?    Default: (\S+)", text)[1] == __version__
