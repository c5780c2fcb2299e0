"""How long until the viewer shows a slice of a large volume, in a real browser.

Writes a volume of noise as the workflow writes one, types `tomobatch view` of it, and opens its
page in the system's Chromium, which is open already, round after round. Prints a page of Markdown:
``python benchmarks/view.py 1024 > benchmarks/results/view.md``.
"""

import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, sync_playwright

from tomobatch.cores import n_usable_cores
from tomobatch.stores.volume import VolumeLayout

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


def look(browser: Browser, root: Path, side: int) -> dict[str, float]:
    """Type the command, open its page, and return seconds."""
    typed = time.perf_counter()
    command = [Path(sys.executable).with_name("tomobatch"), "view", root, "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        url = re.search(r"http://\S+", server.stdout.readline())[0]
        served = time.perf_counter()
        page = browser.new_page(viewport={"width": 1400, "height": 800})
        page.goto(url)
        page.wait_for_selector(FIRST)
        first = time.perf_counter()
        page.wait_for_selector(FINEST)
        finest = time.perf_counter()
        index = side // 3
        page.get_by_role("slider", name="slice z").fill(str(index))
        page.wait_for_selector(f"{FINEST}[data-index='{index}']")
        other = time.perf_counter()
        page.close()
        server.send_signal(signal.SIGINT)
    return {
        "from typing the command to its address": served - typed,
        "from the address to the first slice, of the coarsest level": first - served,
        "from the address to the slice at its finest level": finest - served,
        "another slice, at its finest level": other - finest,
    }


def main(side: int) -> None:
    """Print the page."""
    program = next(filter(None, map(shutil.which, BROWSERS)))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        root = write_noise(Path(folder), side)
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        rounds = [look(browser, root, side) for _ in range(ROUNDS)]
        browser.close()
    print(page_of(side, rounds))


def page_of(side: int, rounds: Sequence[dict[str, float]]) -> str:
    """Return the figures as Markdown."""
    lines = [
        "# The viewer's first slice",
        "",
        f"A volume of {side}^3 voxels of noise, {4 * side**3 / 1e9:.1f} GB, on this disk; seconds.",
        f"Medians of {len(rounds)} rounds, and the slowest. {n_usable_cores()} cores, load "
        f"{os.getloadavg()[0]:.1f}, {datetime.now(UTC):%Y-%m-%d}.",
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
