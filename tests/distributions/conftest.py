"""The three distributions, built as they would be published."""

import subprocess
import sys
from pathlib import Path

import pytest

SOURCES = (
    ".",
    "plugins/snakemake-executor-plugin-aws-batch-array",
    "plugins/aws-batch-emulator",
)


@pytest.fixture(scope="session")
def built(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build sdist and wheel of each, the wheel from the sdist, and return their folder."""
    folder = tmp_path_factory.mktemp("dist")
    for source in SOURCES:
        subprocess.run(
            [
                *(sys.executable, "-m", "build", "--no-isolation", "--skip-dependency-check"),
                *("--outdir", folder, repository / source),
            ],
            check=True,
            capture_output=True,
        )
    return folder
