"""Takes docs/images/report-*: the reports of four scans in a real browser.

``python docs/make_report_pictures.py [FOLDER]`` makes a phantom and spoils two copies of it as real
scans are spoilt, and one whose beam is a cone, runs the steps on each in this process, and opens
the reports in Chromium: at 1280 and 500 px, and printed, on three pages at most; the good one's
pages stay as a PDF, and the cone's section as a picture. FOLDER keeps the reports and whole pages.
"""

import io
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
from tomobatch.phantom.write_cone import write_cone_phantom  # noqa: E402

IMAGES = REPOSITORY / "docs" / "images"
SCANS = {"good": "good.h5", "doubtful": "doubtful.h5", "bad": "bad.h5", "cone": "cone.nx"}
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
        write_cone_phantom(folder / "cone.nx", size=160)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        for name, file in SCANS.items():
            results = folder / name
            shutil.rmtree(results, ignore_errors=True)
            findings = reconstruct(results, folder / file).findings
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
        if name != "cone":
            keep(page.screenshot(), f"report-{name}{suffix}")
        elif not suffix:
            section = page.locator("section", has=page.get_by_role("heading", name="The cone"))
            keep(section.screenshot(), "report-cone-section")
        overflow = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        if overflow:
            sys.exit(f"{report}: wider than a window of {width} px")
        if not suffix:
            path = IMAGES / "report-good.pdf" if name == "good" else folder / f"{name}.pdf"
            printed = page.pdf(path=path, prefer_css_page_size=True)
            n_pages = len(re.findall(rb"/Type\s*/Page\b", printed))
            if n_pages > MOST_PAGES:
                sys.exit(f"{report}: prints on {n_pages} pages, more than {MOST_PAGES}")
        page.close()


def keep(screenshot: bytes, name: str) -> None:
    """Write a picture of few colours to the documentation's."""
    with Image.open(io.BytesIO(screenshot)) as picture:
        small = picture.convert("RGB").quantize(GREYS)
        small.save(IMAGES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
