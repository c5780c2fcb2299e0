"""The page of many scans: what stands in it, and how it sorts and filters in a real browser."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from tests.stripes.known_stripes import known_scan
from tests.view.conftest import write_volume

from tomobatch.calibrate.calibration import Calibration, calibrate
from tomobatch.calibrate.evidence import EvidenceSettings, gather_evidence
from tomobatch.calibrate.settings import CalibrateSettings
from tomobatch.records.findings import Finding, Findings
from tomobatch.report.scans import PAGE, read_row, scans_in, write_scans_page

COR_PX = {"tooth-2": 9.5, "tooth-10": 100.25, "bone": 31.0}
WARNING = "flats: <b>one</b> & only"


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    scan = known_scan(5, "none", "crystals")
    rows = np.tile(scan.measured, (2, 1, 1))
    evidence = gather_evidence(rows, scan.angles_rad, 0, EvidenceSettings(len(rows)))
    return calibrate([evidence], CalibrateSettings())


def finding(level):
    return Finding("rings", level, "0.07", "amber from 0.06", "why", "look at a slice")


@pytest.fixture(scope="module")
def results(calibration, tmp_path_factory):
    """Three finished scans and one under way, as the workflow leaves them."""
    folder = tmp_path_factory.mktemp("results")
    for name, level, warnings in (
        ("tooth-2", "green", ()),
        ("tooth-10", "red", (WARNING,)),
        ("bone", "amber", ()),
    ):
        scan = folder / name
        (scan / "preview").mkdir(parents=True)
        write_volume(scan, np.zeros((8, 16, 16), np.float32))
        line = replace(calibration.line, mid_px=COR_PX[name])
        (scan / "calibration.json").write_text(replace(calibration, line=line).to_json())
        findings = Findings(name, (finding(level),), warnings)
        (scan / "findings.json").write_text(findings.to_json())
        (scan / "report.html").write_text(f"<title>report of {name}</title>")
        Image.fromarray(np.full((300, 300), 90, np.uint8)).save(scan / "preview" / "xy.png")
    (folder / "under-way" / "records").mkdir(parents=True)
    record = {"rule": "average_references", "wall_s": 90.0, "version": "0.2.0"}
    (folder / "under-way" / "records" / "average_references.json").write_text(json.dumps(record))
    (folder / "notes").mkdir()
    write_scans_page(folder, {"tooth-2": 0.5, "bone": 0.25})
    return folder


def test_a_row_tells_what_the_report_would_tell_first(results, calibration):
    assert scans_in(results) == ["bone", "tooth-10", "tooth-2", "under-way"]
    row = read_row(results / "tooth-10", cost_usd=0.5)
    assert (row.level, row.href, row.n_doubts) == ("red", "tooth-10/report.html", 2)
    assert row.calibration.line.mid_px == 100.25
    assert (row.volume.shape, row.volume.voxel_um) == ((8, 16, 16), 2.0)
    under_way = read_row(results / "under-way")
    assert (under_way.level, under_way.href, under_way.busy_s) == ("unfinished", "", 90.0)


def test_the_page_needs_no_other_file_and_shows_what_it_is_told_as_text(results):
    text = (results / PAGE).read_text(encoding="utf-8")
    assert "<b>one</b>" not in text
    assert "http" not in text.replace("http-equiv", "")
    assert len(text) < 60_000


def names(page):
    return page.locator("tbody tr:visible td:nth-child(2)").all_inner_texts()


@pytest.fixture
def opened(results, page):
    page.goto((results / PAGE).as_uri())
    return page


def test_it_begins_with_the_worst(opened):
    assert names(opened) == ["tooth-10", "bone", "under-way", "tooth-2"]
    assert opened.title().endswith(": 4 scans")
    assert "$0.75" in opened.locator("h1").inner_text()
    loaded = "[...document.images].every((image) => image.complete && image.naturalWidth === 112)"
    assert opened.evaluate(loaded)


@pytest.mark.parametrize(
    ("head", "ascending"),
    [
        ("scan", ["bone", "tooth-2", "tooth-10", "under-way"]),
        ("cor, px", ["tooth-2", "bone", "tooth-10", "under-way"]),
        ("cost, $", ["bone", "tooth-2"]),
        ("jobs, min", None),
    ],
)
def test_a_click_on_a_head_sorts_and_another_turns_it_round(opened, head, ascending):
    button = opened.get_by_role("button", name=head)
    button.click()
    first = names(opened)
    assert opened.locator("th[aria-sort=ascending]").inner_text().startswith(head)
    button.click()
    second = names(opened)
    if ascending is None:
        # The records of the others are not here.
        assert (first[0], second[0]) == ("under-way", "under-way")
        return
    assert first[: len(ascending)] == ascending
    known = [name for name in second if name in ascending and name != "under-way"]
    assert known == [name for name in reversed(ascending) if name != "under-way"]
    if head == "cor, px":
        # What is not known comes last either way.
        assert second[-1] == "under-way"


def test_words_and_levels_filter(opened):
    opened.get_by_role("searchbox").fill("tooth")
    assert names(opened) == ["tooth-10", "tooth-2"]
    opened.get_by_role("checkbox", name="red").uncheck()
    assert names(opened) == ["tooth-2"]
    assert opened.locator("#shown").inner_text() == "1 shown"
    opened.get_by_role("searchbox").fill("")
    assert names(opened) == ["bone", "under-way", "tooth-2"]
    opened.get_by_role("searchbox").fill("one & only")
    assert names(opened) == []


def test_it_leads_to_the_reports_and_fits_a_narrow_window(opened):
    opened.set_viewport_size({"width": 420, "height": 800})
    assert opened.evaluate("document.documentElement.scrollWidth") <= 420
    opened.get_by_role("link", name="tooth-2").click()
    assert opened.title() == "report of tooth-2"
