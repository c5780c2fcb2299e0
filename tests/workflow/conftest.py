"""A tiny scan, and a finished run of it that tests copy."""

import shutil
from pathlib import Path

import pytest
from tests.workflow.running import snakemake, write_config

from tomobatch.phantom.truth import Truth
from tomobatch.phantom.write import write_phantom


@pytest.fixture(scope="session")
def tiny_scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a scan of 12 rows, 48 columns and 60 projections."""
    path = tmp_path_factory.mktemp("scans") / "tiny.h5"
    make_tiny_scan(path)
    return path


def make_tiny_scan(path: Path, seed: int = 3) -> Truth:
    return write_phantom(path, size=48, n_rows=12, n_angles=60, n_flats=4, n_darks=4, seed=seed)


@pytest.fixture(scope="session")
def finished_once(tiny_scan: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished") / "run"
    write_config(
        folder,
        scans={"tiny": str(tiny_scan)},
        chunks={"projections": 25, "slices": 8},
        volume={"levels": 2, "export": ["tiff", "hdf5", "nrrd"]},
        keep_intermediates=True,
    )
    snakemake(folder)
    return folder


@pytest.fixture
def finished(finished_once: Path, tmp_path: Path) -> Path:
    """Copy a folder in which the tiny scan was reconstructed, with every time stamp."""
    return Path(shutil.copytree(finished_once, tmp_path / "run", copy_function=shutil.copy2))
