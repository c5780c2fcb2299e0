"""How long until the viewer shows a slice of a large volume, in a real browser.

Writes a volume of noise as the workflow writes one, serves it as `tomobatch view` does, and opens
its page in the system's Chromium, round after round. Prints a page of Markdown:
``python benchmarks/view.py 1024 > benchmarks/results/view.md``.
"""

import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, sync_playwright

from tomobatch.cores import n_usable_cores
from tomobatch.stores.volume import VolumeLayout
from tomobatch.view.server import ViewServer
from tomobatch.view.volume import open_volume

ROUNDS = 5
CHUNK, N_LEVELS = 32, 3
FIRST = "body[data-first-plane-ms]"
FINEST = "#z[data-level='0']"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def write_noise(folder: Path, side: int) -> Path:
    """Write a volume of side^3 voxels; noise is what compresses least."""
    layout = VolumeLayout(side, side, side, CHUNK, N_LEVELS, pixel_size_um=1.0)
    root = folder / "volume.ome.zarr"
    for level in range(N_LEVELS):
        (root / str(level)).mkdir(parents=True)
        (root / str(level) / "zarr.json").write_bytes(layout.array(level).metadata())
    (root / "zarr.json").write_bytes(layout.group_metadata("noise", (0.0, 1e-4)))
    rng = np.random.default_rng(0)
    for chunk in range(side // CHUNK):
        values = rng.random((CHUNK, side, side), dtype=np.float32)
        for level, slices in layout.pyramid(values):
            array = layout.array(level)
            array.write_shard(chunk, slices, root / str(level) / "c" / array.key(chunk))
    return root


def look(browser: Browser, root: Path) -> dict[str, float]:
    """Open the volume and its page anew, and return seconds."""
    began = time.perf_counter()
    with ViewServer(open_volume(str(root))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = browser.new_page(viewport={"width": 1400, "height": 800})
        page.goto(server.url)
        page.wait_for_selector(FIRST)
        first_s = time.perf_counter() - began
        page.wait_for_selector(FINEST)
        finest_s = time.perf_counter() - began
        index = server.volume.levels[0].shape[0] // 3
        again = time.perf_counter()
        page.get_by_role("slider", name="slice z").fill(str(index))
        page.wait_for_selector(f"{FINEST}[data-index='{index}']")
        next_s = time.perf_counter() - again
        page.close()
        server.shutdown()
    return {
        "first picture, of the coarsest level": first_s,
        "the slice at its finest level": finest_s,
        "another slice, at its finest level": next_s,
    }


def main(side: int) -> None:
    """Print the page."""
    program = next(filter(None, map(shutil.which, BROWSERS)))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        root = write_noise(Path(folder), side)
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        rounds = [look(browser, root) for _ in range(ROUNDS)]
        browser.close()
    print(page_of(side, rounds))


def page_of(side: int, rounds: Sequence[dict[str, float]]) -> str:
    """Return the figures as Markdown."""
    lines = [
        "# The viewer's first slice",
        "",
        f"A volume of {side}^3 voxels of noise, {4 * side**3 / 1e9:.1f} GB, on this disk; seconds",
        f"since the volume was opened, or the slider moved. Medians of {len(rounds)} rounds, and",
        f"the slowest. {n_usable_cores()} cores, load {os.getloadavg()[0]:.1f}, "
        f"{datetime.now(UTC):%Y-%m-%d}.",
        "",
        "| | median | slowest |",
        "|---|--:|--:|",
    ]
    for name in rounds[0]:
        seconds = [each[name] for each in rounds]
        lines.append(f"| {name} | {statistics.median(seconds):.2f} | {max(seconds):.2f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1024)
