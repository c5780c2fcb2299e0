"""The report's page in a real browser: its slider, and its pages on paper."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
from jinja2 import Environment, PackageLoader, select_autoescape

from tomobatch.records.findings import Finding
from tomobatch.report.images import data_uri, image_jpeg, image_png

GREYS = (0.1, 0.5, 0.9)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Render the template with three slices of one grey each."""
    environment = Environment(
        loader=PackageLoader("tomobatch.report", "."), autoescape=select_autoescape(default=True)
    )
    slices = [np.full((64, 64), grey, np.float32) for grey in GREYS]
    uri = data_uri(image_png(np.eye(300, dtype=np.float32), (0, 1)))
    verdict = Finding("rings", "amber", "0.07", "amber from 0.06", "why", "look at a slice")
    verdicts = (verdict,) * 8
    content = SimpleNamespace(
        name="tooth",
        warnings=["a warning"],
        verdicts=verdicts,
        findings=SimpleNamespace(level="amber"),
        calibration=SimpleNamespace(n_rows=30),
    )
    facts = {f"fact {number}": "what it is" for number in range(12)}
    text = environment.get_template("page.html").render(
        content=content,
        planes=[{"title": f"plane {n}", "uri": uri} for n in range(3)],
        stack=[
            (10 * n, data_uri(image_jpeg(image, (0, 1), 64), "jpeg"))
            for n, image in enumerate(slices)
        ],
        comparisons=[{"title": f"picture {n}", "uri": uri} for n in range(4)],
        curves={},
        **dict.fromkeys(("scan_facts", "found", "counts", "versions"), facts),
        settings={f"setting {number}": "auto" for number in range(45)},
    )
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(text, encoding="utf-8")
    return path.as_uri()


GREY = """() => {
  const image = document.getElementById("slice"), canvas = document.createElement("canvas");
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas.getContext("2d").getImageData(5, 5, 1, 1).data[0] / 255;
}"""


def test_the_slider_goes_through_the_slices(report, page):
    page.goto(report)
    slide = page.get_by_role("slider", name="slice")
    assert slide.input_value() == "1"
    assert page.locator("#which").inner_text() == "plane 0"
    for number, grey in enumerate(GREYS):
        slide.fill(str(number))
        page.wait_for_function("document.getElementById('slice').complete")
        assert page.locator("#which").inner_text() == f"xy: slice {10 * number} of 30"
        assert page.evaluate(GREY) == pytest.approx(grey, abs=0.02)


def test_it_prints_on_few_pages_without_the_slider(report, page):
    page.goto(report)
    printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) <= 3
    page.emulate_media(media="print")
    assert not page.get_by_role("slider").is_visible()
