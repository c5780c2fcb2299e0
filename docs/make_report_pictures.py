"""Takes docs/images/report-{good,doubtful,bad}*.png: the reports of three scans in a real browser.

``python docs/make_report_pictures.py [FOLDER]`` makes a phantom and spoils two copies of it as real
scans are spoilt, runs the steps on each in this process, and opens the reports in Chromium: at 1280
and 500 px, and printed, on three pages at most. FOLDER keeps the reports and whole pages.
"""

import re
import shutil
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from tests.in_process import reconstruct  # noqa: E402

from tomobatch.phantom.write import write_phantom  # noqa: E402

IMAGES = REPOSITORY / "docs" / "images"
SCANS = ("good", "doubtful", "bad")
WIDTHS = {"": (1280, 960), "-narrow": (500, 1000)}
MOST_PAGES = 3
GREYS = 128


def main() -> None:
    """Make the scans, their reports and the pictures."""
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else temporary)
        folder.mkdir(parents=True, exist_ok=True)
        write_phantom(folder / "good.h5", size=256, n_rows=64, n_angles=400)
        spoil(folder)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        for name in SCANS:
            results = folder / name
            shutil.rmtree(results, ignore_errors=True)
            findings = reconstruct(results, folder / f"{name}.h5").findings
            print(name, findings.level, *findings.lines, sep="\n  ")  # noqa: T201
            take(browser, results / "report.html", name, folder)


def spoil(folder: Path) -> None:
    """Leave the doubtful scan two flats in all; let the bad one saturate, and its sample move."""
    for name in ("doubtful", "bad"):
        shutil.copy(folder / "good.h5", folder / f"{name}.h5")
    with h5py.File(folder / "doubtful.h5", "a") as file:
        replace(file["exchange"], {"data_white": file["exchange/data_white"][:][[0, -1]]})
    with h5py.File(folder / "bad.h5", "a") as file:
        exchange = file["exchange"]
        data, white = exchange["data"][:], exchange["data_white"][:]
        half = len(data) // 2
        data[half:] = np.roll(data[half:], 4, axis=2)
        full = int(0.9 * np.median(white))
        replace(exchange, {"data": np.minimum(data, full), "data_white": np.minimum(white, full)})


def replace(group: h5py.Group, datasets: dict[str, np.ndarray]) -> None:
    """Put other values of the same type into a file, with their attributes."""
    for name, values in datasets.items():
        attributes, dtype = dict(group[name].attrs), group[name].dtype
        del group[name]
        group[name] = values.astype(dtype)
        group[name].attrs.update(attributes)


def take(browser: Browser, report: Path, name: str, folder: Path) -> None:
    """Take the pictures of one report, and count its pages on paper."""
    for suffix, (width, height) in WIDTHS.items():
        page = browser.new_page(viewport={"width": width, "height": height})
        page.goto(report.as_uri())
        page.screenshot(path=folder / f"whole-{name}{suffix}.png", full_page=True)
        page.screenshot(path=folder / "head.png")
        with Image.open(folder / "head.png") as picture:
            small = picture.convert("RGB").quantize(GREYS)
            small.save(IMAGES / f"report-{name}{suffix}.png", optimize=True)
        overflow = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        if overflow:
            sys.exit(f"{report}: wider than a window of {width} px")
        if not suffix:
            printed = page.pdf(path=folder / f"{name}.pdf", prefer_css_page_size=True)
            n_pages = len(re.findall(rb"/Type\s*/Page\b", printed))
            if n_pages > MOST_PAGES:
                sys.exit(f"{report}: prints on {n_pages} pages, more than {MOST_PAGES}")
        page.close()


if __name__ == "__main__":
    main()
