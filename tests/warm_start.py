"""The Python that starts the workflow in tests: a fork of one that has imported what it needs.

Tests of the workflow start Snakemake some hundred times, and each start spends seconds on imports
alone. What a user starts is a Python of its own; that it can, `tests/warm`, `tests/distributions`
and the smoke test show. Decision 104.
"""

import atexit
import functools
import os
import re
import sys
from contextlib import ExitStack
from pathlib import Path

from benchmarks.warm import warm_image, warm_python

from tomobatch.warm.server import imports

REPOSITORY = Path(__file__).parents[1]


_TOMOBATCH = """#!/usr/bin/env -S "{own}"
import sys
sys.executable = {warm!r}
from tomobatch.cli import main
main()
"""
_SNAKEMAKE = """#!/bin/sh
exec "{warm}" -m snakemake "$@"
"""


@functools.cache
def python() -> Path:
    """Start it with the first use; it is gone with this process, however that one ends.

    Beside it stand ``tomobatch`` and ``snakemake``, which use it. Elsewhere than on Linux it is
    the one of these tests, with what stands beside that.
    """
    if sys.platform != "linux":
        return Path(sys.executable)
    stack = ExitStack()
    atexit.register(stack.close)
    python = stack.enter_context(warm_python(*_imports_of_the_workflow()))
    for name, text in (("tomobatch", _TOMOBATCH), ("snakemake", _SNAKEMAKE)):
        program = python.with_name(name)
        program.write_text(text.format(own=sys.executable, warm=str(python)), encoding="utf-8")
        program.chmod(0o700)
    return python


def tomobatch() -> str:
    """Return the command line, whose Snakemake starts warm."""
    return str(python().with_name("tomobatch"))


def image() -> dict[str, str]:
    """Return the variables of an emulated image with that Python, and with this user's caches."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return {**warm_image(python()), "XDG_CACHE_HOME": cache}


def poll_often(profiles: Path) -> None:
    """Let a copy of the profiles ask after jobs more often than an account would be asked."""
    profile = profiles / "aws" / "config.yaml"
    profile.write_text(f"{profile.read_text()}seconds-between-status-checks: 2\n")


def _imports_of_the_workflow() -> list[str]:
    """Return what the scripts import, and the rules, but for what is told its Python."""
    of_rules = "\n".join(path.read_text() for path in sorted((REPOSITORY / "rules").glob("*.smk")))
    names = re.findall(r"^from (tomobatch\S*) import", of_rules, re.MULTILINE)
    names = [name for name in names if not name.startswith("tomobatch.warm")]
    for script in sorted((REPOSITORY / "scripts").glob("*.py")):
        names += imports(script)
    return list(dict.fromkeys(names))
