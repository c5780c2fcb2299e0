"""Runs the workflow as a user does: a folder with a config.yaml, and the snakemake command."""

import os
import re
import subprocess
from pathlib import Path

import yaml
from tests.warm_start import python

REPOSITORY = Path(__file__).parents[2]


def write_config(folder: Path, **sections: object) -> None:
    """Write the config.yaml of a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(sections), encoding="utf-8")


def set_config(folder: Path, section: str, **values: object) -> None:
    """Change values of one section of a folder's config.yaml."""
    config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    config[section] = {**config.get(section, {}), **values}
    write_config(folder, **config)


def command(folder: Path, *arguments: str) -> list[str]:
    """Return the snakemake command for a folder."""
    base = [str(python()), "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile")]
    profile = ["--profile", str(REPOSITORY / "profiles" / "local")]
    return [*base, *profile, "--directory", str(folder), *arguments]


def snakemake(
    folder: Path, *arguments: str, ok: bool = True, env: dict[str, str] | None = None
) -> str:
    """Run the workflow and return all that it printed; fail unless it ended as expected."""
    done = subprocess.run(
        command(folder, *arguments),
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **(env or {})},
    )
    assert (done.returncode == 0) == ok, done.stdout
    return done.stdout


def planned_jobs(output: str) -> dict[str, int]:
    """Read the table of jobs that snakemake prints: rule and count."""
    table = output[output.index("Job stats:") :]
    rows = re.findall(r"^(\w+) +(\d+)$", table.split("\n\n")[0], re.MULTILINE)
    return {rule: int(count) for rule, count in rows}
