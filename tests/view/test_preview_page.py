"""The page of a preview in a real browser: slices move together, and a click says what to write."""

import json

import numpy as np
import pytest
import yaml
from tests.cli.calling import tomobatch

from tomobatch.phantom.write import write_phantom


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a preview of two rows by three centres of rotation."""
    folder = tmp_path_factory.mktemp("study")
    write_phantom(folder / "bone.h5", size=64, n_rows=40, n_angles=80, n_flats=6, n_darks=6)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        sweep = "--sweep=cor=32:34:1"
        said = tomobatch("preview", "bone.h5", "--rows", "10,30", sweep, "--sweep", "filter=hann")
    assert said.code == 0, said.err
    assert said.out.splitlines()[-1] == "previews/bone.html"
    return folder


@pytest.fixture
def shown(made, page):
    page.goto((made / "previews" / "bone.html").as_uri())
    return page


def test_every_variant_of_every_row_is_shown_whole(made, shown):
    assert [head.inner_text() for head in shown.locator("h2").all()] == ["Row 10", "Row 30"]
    figures = shown.locator("figure").all()
    assert len(figures) == 2 * 4
    labels = [figure.locator(".pick").inner_text() for figure in figures[:4]]
    assert labels[0].startswith("0: cor 3")
    assert labels[1:] == [f"{n}: cor {31 + n}, filter hann" for n in (1, 2, 3)]
    assert figures[0].locator(".pill").inner_text() == "found"
    assert "not found" not in shown.content()
    sizes = shown.evaluate(
        "[...document.images].map(i => [i.naturalWidth, i.naturalHeight, i.complete])"
    )
    assert sizes == [[64, 64, True]] * 8
    assert "http" not in (made / "previews" / "bone.html").read_text().replace("http-equiv", "")


def transforms(page):
    return page.evaluate(
        "[...document.images].map(i => new DOMMatrix(getComputedStyle(i).transform).a)"
    )


def test_all_slices_zoom_and_move_together(shown):
    box = shown.locator(".view").nth(1).bounding_box()
    shown.mouse.move(box["x"] + 50, box["y"] + 50)
    shown.mouse.wheel(0, -400)
    shown.wait_for_function("new DOMMatrix(getComputedStyle(document.images[7]).transform).a > 2")
    zoomed = transforms(shown)
    assert np.ptp(zoomed) == 0

    def lefts():
        return shown.evaluate(
            "[...document.images].map(i => new DOMMatrix(getComputedStyle(i).transform).e)"
        )

    before = lefts()
    shown.mouse.down()
    shown.mouse.move(box["x"] + 20, box["y"] + 50, steps=4)
    shown.mouse.up()
    after = lefts()
    # Tiles differ by a fraction of a pixel in width.
    assert np.ptp(after) < 0.1
    assert after[0] == pytest.approx(before[0] - 30, abs=1)
    # A drag chooses nothing.
    assert shown.locator("figure.chosen").count() == 0
    shown.locator(".view").nth(6).dblclick()
    assert transforms(shown) == [1] * 8


@pytest.mark.parametrize("width", [1400, 480])
def test_a_click_says_what_to_write(shown, width):
    shown.set_viewport_size({"width": width, "height": 800})
    shown.locator("figure").nth(2).locator(".view").click()
    chosen = shown.locator("figure.chosen")
    assert chosen.count() == 2
    assert {one.get_attribute("data-variant") for one in chosen.all()} == {"2"}
    lines = yaml.safe_load(shown.locator("#lines").inner_text())
    assert lines == {
        "scans": {
            "bone": {"calibrate": {"cor_px": 33.0}, "reconstruct": {"filter": "hann"}},
        }
    }
    assert shown.locator("#command").inner_text() == "tomobatch preview bone --apply 2"
    overflow = shown.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0


def test_the_variants_lie_beside_the_page_for_apply(made):
    beside = json.loads((made / "previews" / "bone.json").read_text())
    assert beside["scan"] == "bone"
    assert beside["variants"][3] == {"calibrate.cor_px": 34.0, "reconstruct.filter": "hann"}
