"""A folder in which a study runs: what to compute, how to run it, and the workflow."""

import os
from collections.abc import Iterable
from pathlib import Path

from tomobatch.errors import UserError
from tomobatch.s3.address import is_remote
from tomobatch.workflow import bring_in, files_of, workflow_folder

_SNAKEFILE = """\
# The workflow comes from the installed tomobatch; .tomobatch/workflow is its copy, made anew
# whenever the two differ. Rules of your own may follow.
from tomobatch.workflow import bring_in


include: bring_in()


workflow.default_target = "all"
"""

_MAKEFILE = """\
.PHONY: run dry-run
run:
	tomobatch run --local
dry-run:
	snakemake --profile profiles/local -n
"""

_README = """\
# {name}

What to compute stands in config.yaml, how it runs (cores, memory, queues) in profiles/.
`make dry-run` shows every job, `make` or `tomobatch run --local` runs them here, and the same
again goes on where it stopped; `tomobatch run` runs them on AWS. Results come to results/.
"""

_IGNORED = "/.snakemake/\n/.tomobatch/\n/results/\n/results-aws/\n/previews/\n"


def make_study(folder: Path) -> list[Path]:
    """Write what a folder lacks to run the workflow; what is there stays as it is.

    Returns
    -------
    What was written.
    """
    texts = {
        "Snakefile": _SNAKEFILE,
        "Makefile": _MAKEFILE,
        "README.md": _README.format(name=folder.resolve().name),
        ".gitignore": _IGNORED,
    }
    profiles = workflow_folder() / "profiles"
    for file in files_of(profiles):
        texts[f"profiles/{file.relative_to(profiles)}"] = file.read_text(encoding="utf-8")
    try:
        written = [folder / name for name, text in texts.items() if _write(folder / name, text)]
        bring_in(folder)
    except (FileExistsError, NotADirectoryError) as error:
        raise UserError(f"{error.filename} is a file where a folder is needed") from None
    return written


def seen_from(folder: Path, paths: Iterable[str]) -> dict[str, str]:
    """Return each path as the configuration in a folder has it: relative where it lies inside."""
    seen = {}
    for path in paths:
        full = path if is_remote(path) else os.path.abspath(path)  # noqa: PTH100 - keeps links
        inside = full.startswith(f"{folder.resolve()}{os.sep}")
        seen[path] = os.path.relpath(full, folder.resolve()) if inside else full
    return seen


def _write(path: Path, text: str) -> bool:
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return True
