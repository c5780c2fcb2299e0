"""Where the workflow's own files are, and how a study folder takes part in them.

They come with the installed package, or lie around it in a clone. A study folder holds a copy in
``.tomobatch/workflow``, made anew whenever it differs: so one archive of the folder is all that a
machine elsewhere needs, and what runs is always what is installed.
"""

from collections.abc import Iterator
from pathlib import Path

CONFIG_SCHEMA = "docs/reference/config.schema.json"

PARTS = ("Snakefile", "rules", "scripts", "envs", "docs/captions", CONFIG_SCHEMA)
"""What a run needs; all of it is relative to the folder of the Snakefile."""

COPY = Path(".tomobatch") / "workflow"

_PACKAGE = Path(__file__).parent


def workflow_folder() -> Path:
    """Return the folder that holds Snakefile, rules, profiles, templates and Dockerfile."""
    installed = _PACKAGE / "_workflow"
    return installed if installed.is_dir() else _PACKAGE.parents[1]


def bring_in(study: Path = Path()) -> str:
    """Make the copy of the workflow in a study folder what is installed here.

    Files that are as they should be are left untouched. On a machine that got the folder as an
    archive, and whose package came without the workflow, the copy is taken as it is.

    Returns
    -------
    The path of the copy's Snakefile, for ``include``.
    """
    source, copy = workflow_folder(), study / COPY
    if (source / "Snakefile").is_file():
        wanted = {path.relative_to(source) for part in PARTS for path in files_of(source / part)}
        for name in wanted:
            _copy(source / name, copy / name)
        for path in [path for part in PARTS for path in files_of(copy / part)]:
            if path.relative_to(copy) not in wanted:
                path.unlink()
    return str((copy / "Snakefile").resolve())


def files_of(path: Path) -> Iterator[Path]:
    """Walk a file, or the files of a folder, without what Python leaves behind."""
    if path.is_file():
        yield path
    elif path.is_dir():
        yield from sorted(
            each
            for each in path.rglob("*")
            if each.is_file() and "__pycache__" not in each.parts and each.suffix != ".pyc"
        )


def _copy(source: Path, target: Path) -> None:
    content = source.read_bytes()
    if target.is_file() and target.read_bytes() == content:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    partial.write_bytes(content)
    partial.replace(target)
