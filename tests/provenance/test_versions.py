"""A volume names the version of every package that reads its scan or computes it."""

import ast
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import tomobatch
from tomobatch.provenance.record import PACKAGES, versions

SOURCES = Path(tomobatch.__file__).parent
READ = "scan", "stores", "s3"
COMPUTE = (
    *("normalise", "phase", "tube", "align", "stripes", "calibrate", "reconstruct", "opencl"),
    "on_chunks",
)
# They check settings, keep threads apart, and list, copy and check files; no value hangs on them.
NOT_IN_RESULTS = {"pydantic", "threadpoolctl", "botocore", "mypy-boto3-s3", "google-crc32c"}


def imported(folder):
    """Return the top modules that the files of a folder import, wherever they do."""
    for path in (SOURCES / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module.split(".")[0]


@pytest.mark.parametrize("folder", [*READ, *COMPUTE])
def test_what_a_step_imports_is_among_the_packages(folder):
    distributions = packages_distributions()
    found = {name for module in set(imported(folder)) for name in distributions.get(module, [])}
    missing = {name.lower() for name in found} - set(PACKAGES) - NOT_IN_RESULTS - {"tomobatch"}
    assert missing == set()


def test_what_reads_pictures_for_others_is_named_too():
    # tifffile and h5py load them by themselves.
    assert {"imagecodecs", "hdf5plugin"} <= versions().keys()
