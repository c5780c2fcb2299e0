"""A volume whose every voxel is known, and a real browser to look at it with."""

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import sync_playwright
from tests.leaving_out import leave_out

from tomobatch.stores.volume import VolumeLayout
from tomobatch.view.server import ViewServer
from tomobatch.view.volume import open_volume

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SHAPE = (24, 40, 64)
WINDOW = (0.0, 24.0)


def write_volume(folder: Path, values: np.ndarray, n_levels: int = 2, chunk: int = 8) -> Path:
    """Write a volume as the workflow lays it out."""
    layout = VolumeLayout(*values.shape, chunk, n_levels, pixel_size_um=2.0)
    root = folder / "volume.ome.zarr"
    for level in range(n_levels):
        (root / str(level)).mkdir(parents=True)
        (root / str(level) / "zarr.json").write_bytes(layout.array(level).metadata())
    (root / "zarr.json").write_bytes(layout.group_metadata("known", (0.0, 24.0 / 5000)))
    for number in range(0, len(values), chunk):
        for level, slices in layout.pyramid(values[number : number + chunk]):
            array = layout.array(level)
            array.write_shard(
                number // chunk, slices, root / str(level) / "c" / array.key(number // chunk)
            )
    return root


@pytest.fixture(scope="session")
def voxels():
    """Values (z, y, x) that tell their place: z grows by 1, y by 0.1, x by 0.001."""
    z, y, x = np.indices(SHAPE, dtype=np.float32)
    return z + y / 10 + x / 1000


@pytest.fixture(scope="session")
def volume(voxels, tmp_path_factory):
    return write_volume(tmp_path_factory.mktemp("view") / "known", voxels)


@pytest.fixture
def served(volume):
    """Serve the volume from this process."""
    with ViewServer(open_volume(str(volume))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium of the system, gone with the file: its event loop is this thread's.

    While it is there no other code of this process can run a coroutine, Snakemake's API included.
    """
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        leave_out("pages are not looked at: no Chromium is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    """An empty page; whatever goes wrong on it fails the test."""
    page = browser.new_page(viewport={"width": 1200, "height": 700})
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    yield page
    page.close()
    assert faults == []
