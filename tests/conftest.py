"""Fixtures of all tests."""

from pathlib import Path

import pytest
from tests.leaving_out import leave_out
from tests.real_scan import LEFT_OUT, UnusableError, find_real_scan

STARTS_PROCESSES = (
    "tests/cli/",
    "tests/copies/test_imagej.py",
    "tests/distributions/",
    "tests/infrastructure/",
    "tests/logger/",
    "tests/simulator/",
    "tests/site/",
    "tests/slurm/",
    "tests/smoke/",
    "tests/view/",
    "tests/warm/",
    "tests/workflow/",
    "tests/test_strangers_clone.py",
    "plugins/aws-batch-emulator/tests/",
    "plugins/snakemake-executor-plugin-aws-batch-array/tests/runs/",
)
"""Tests of Snakemake, emulated AWS, engines and browsers: right, but not fast."""

COMPUTES_LONG = (
    "tests/align/test_find.py",
    "tests/api/",
    "tests/calibrate/test_calibrate.py",
    "tests/calibrate/test_fan.py",
    "tests/calibrate/test_movement.py",
    "tests/calibrate/test_random_scans.py",
    "tests/calibrate/test_sense.py",
    "tests/normalise/test_dynamic.py",
    "tests/odd_scans/",
    "tests/opencl/test_benchmark.py",
    "tests/opencl/test_kernel_resources.py",
    "tests/opencl/test_kernels.py",
    "tests/preview/test_aligned.py",
    "tests/preview/test_slices.py",
    "tests/reconstruct/cone/test_accuracy.py",
    "tests/reconstruct/cone/test_kernels.py",
    "tests/reconstruct/iterative/test_iterate.py",
    "tests/reconstruct/iterative/test_kernels.py",
    "tests/reconstruct/test_half_acquisition.py",
    "tests/reconstruct/test_handedness.py",
    "tests/reconstruct/test_one_volume.py",
    "tests/report/test_convergence.py",
    "tests/scan/test_cone.py",
    "tests/scan/test_rows.py",
    "tests/scan/test_taken.py",
    "tests/stores/test_grey_codes.py",
    "tests/stripes/test_choice.py",
    "tests/stripes/test_ring_removal.py",
)
"""Tests of whole scans and of every variant of a kernel: ten seconds and more a file."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what ``make test-fast`` leaves to ``make test``."""
    for item in items:
        where = item.path.relative_to(config.rootpath).as_posix()
        if where.startswith(STARTS_PROCESSES):
            item.add_marker("processes")
        if where.startswith(COMPUTES_LONG):
            item.add_marker("long")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the repository."""
    return Path(__file__).parents[1]


@pytest.fixture(scope="session")
def real_scan() -> Path:
    """A tooth measured at the Advanced Photon Source; tests of it are left out without it."""
    try:
        path = find_real_scan()
    except UnusableError as error:
        pytest.fail(str(error), pytrace=False)
    if path is None:
        leave_out(LEFT_OUT)
    return path
