"""What holds for the tests of all three distributions."""

import os
from collections.abc import Iterator

import boto3
import pytest

RUNS = "plugins/snakemake-executor-plugin-aws-batch-array/tests/runs/"
LONGEST = (
    "tests/infrastructure/test_image.py",
    "tests/smoke/",
    f"{RUNS}test_left_behind.py",
    "tests/slurm/",
    "tests/workflow/test_aws.py",
    "tests/distributions/",
    f"{RUNS}test_samples.py",
    "tests/cli/test_life.py",
    f"{RUNS}test_faults.py",
    f"{RUNS}test_cases.py",
    "tests/stripes/test_choice.py",
    f"{RUNS}test_interruption.py",
    "tests/workflow/",
)
"""Minutes each: they start first, so that no worker is left with one of them at the end."""

MOST_MORE = 4
"""Workers above the number of cores."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take ``--gpu``."""
    what = "compute on the GPU wherever tests ask for the CPU; needs a GPU and its OpenCL driver"
    parser.addoption("--gpu", action="store_true", help=what)


def pytest_configure(config: pytest.Config) -> None:
    """Have the GPU found whatever kind of device is asked for, and no CPU instead of it."""
    if config.option.gpu:
        from tomobatch.opencl import devices

        find = devices.find_devices
        devices.find_devices = lambda kind="auto": find("gpu")


@pytest.fixture(autouse=True)
def no_session_of_another_test() -> Iterator[None]:
    """Have boto3 forget whose keys a test had: each emulator knows its own alone."""
    boto3.DEFAULT_SESSION = None
    yield
    boto3.DEFAULT_SESSION = None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest files first; the order within a file, and of all others, stays."""

    def place(item: pytest.Item) -> int:
        path = item.path.relative_to(config.rootpath).as_posix()
        found = (n for n, start in enumerate(LONGEST) if path.startswith(start))
        return next(found, len(LONGEST))

    items.sort(key=place)
    if config.option.gpu:
        of_cpu = [item for item in items if item.get_closest_marker("cpu")]
        items[:] = [item for item in items if item not in of_cpu]
        config.hook.pytest_deselected(items=of_cpu)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Give a core two workers, since most tests of other processes wait for them; else one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    cores = cores or 1
    computes = "not processes" in (config.option.markexpr or "")
    return cores if computes else cores + min(cores, MOST_MORE)
