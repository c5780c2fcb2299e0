"""The page in a real browser: what its pixels are when it is loaded, slid, windowed and zoomed."""

import json
from urllib.parse import unquote

import numpy as np
import pytest
from playwright.sync_api import Error as PlaywrightError

from tomobatch.view.elsewhere import NEUROGLANCER

GREYS = """(axis) => {
    const { canvas, picture } = planes[axis];
    const pixels = picture.getContext("2d").getImageData(0, 0, picture.width, picture.height);
    return { width: picture.width, greys: Array.from(pixels.data).filter((_, n) => n % 4 === 0) };
}"""


def greys(page, axis):
    found = page.evaluate(GREYS, axis)
    return np.array(found["greys"]).reshape(-1, found["width"])


def wait_for(page, axis, index, level=0):
    page.wait_for_selector(f"#{axis}[data-level='{level}'][data-index='{index}']", state="attached")


def expected(plane, low, high):
    return np.floor(np.clip((plane.astype(np.float64) - low) * 255 / (high - low), 0, 255))


@pytest.fixture
def shown(page, served):
    page.goto(served.url)
    for axis, index in (("z", 12), ("y", 20), ("x", 32)):
        wait_for(page, axis, index)
    return page


def test_three_planes_through_the_middle_are_shown_in_the_window_of_the_volume(shown, voxels):
    for axis, plane in (("z", voxels[12]), ("y", voxels[:, 20]), ("x", voxels[:, :, 32])):
        np.testing.assert_allclose(greys(shown, axis), expected(plane, 0, 24), atol=1)


def test_the_slider_moves_the_plane_and_the_value_is_told(shown, voxels):
    shown.locator("#slide-z").fill("3")
    wait_for(shown, "z", 3)
    np.testing.assert_allclose(greys(shown, "z"), expected(voxels[3], 0, 24), atol=1)
    assert shown.locator("#value").text_content() == f"value {voxels[3, 20, 32]:.4g}"
    assert shown.locator("#at-z").text_content() == "z 3, 6.0 µm"


def test_a_click_in_one_plane_moves_the_others(shown, voxels):
    box = shown.locator("#z").bounding_box()
    shown.mouse.click(box["x"] + box["width"] / 2 + 30, box["y"] + box["height"] / 2)
    x = int(shown.locator("#slide-x").input_value())
    assert x > 32
    wait_for(shown, "x", x)
    np.testing.assert_allclose(greys(shown, "x"), expected(voxels[:, :, x], 0, 24), atol=1)


def test_the_grey_window_is_the_users(shown, voxels):
    shown.locator("#low").fill("10")
    shown.locator("#low").dispatch_event("change")
    shown.locator("#high").fill("14")
    shown.locator("#high").dispatch_event("change")
    np.testing.assert_allclose(greys(shown, "z"), expected(voxels[12], 10, 14), atol=1)
    shown.locator("#reset").click()
    np.testing.assert_allclose(greys(shown, "z"), expected(voxels[12], 0, 24), atol=1)


def test_zoom_shows_a_part_larger(shown, tmp_path):
    before = shown.locator("#z").screenshot()
    shown.keyboard.press("+")
    shown.keyboard.press("+")
    assert float(shown.evaluate("document.body.dataset.zoom")) == 1.25**2
    assert shown.locator("#z").screenshot() != before


@pytest.mark.parametrize("width", [400, 1600])
def test_it_fits_narrow_and_wide_windows(shown, width, tmp_path):
    shown.set_viewport_size({"width": width, "height": 900})
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    picture = tmp_path / "view.png"
    shown.screenshot(path=picture)
    assert picture.stat().st_size > 5000


READ = """async (url) => {
    const reply = await fetch(url, { headers: { Range: "bytes=0-15" } });
    return [reply.status, reply.headers.get("Content-Range"), await reply.text()];
}"""


def test_neuroglancer_may_read_the_volume_and_is_told_its_window(shown, page, served, volume):
    """From its own origin, as a browser sees it; nothing is asked of the internet."""
    link, state = shown.locator("#neuroglancer").get_attribute("href").split("#!")
    (layer,) = json.loads(unquote(state))["layers"]
    address = layer["source"].removeprefix("zarr://")
    # What the user is asked once: whether a page of the internet may ask this machine.
    page.context.grant_permissions(["local-network-access"])
    page.route(f"{link}**", lambda route: route.fulfill(body="<p>", content_type="text/html"))
    page.goto(link)

    code, told, text = page.evaluate(READ, f"{address}zarr.json")

    content = (volume / "zarr.json").read_bytes()
    assert (code, told) == (206, f"bytes 0-15/{len(content)}")
    assert text.encode() == content[:16]
    assert layer["shaderControls"]["normalized"]["range"] == pytest.approx([0, 24])
    assert link == NEUROGLANCER


def test_the_page_of_a_stranger_may_not_read_the_volume(browser, served):
    stranger = browser.new_page()
    stranger.context.grant_permissions(["local-network-access"])
    stranger.route("https://stranger.example/**", lambda route: route.fulfill(body="<p>"))
    stranger.goto("https://stranger.example/")
    with pytest.raises(PlaywrightError, match="Failed to fetch"):
        stranger.evaluate(READ, f"{served.url}volume.ome.zarr/zarr.json")
    stranger.close()


def test_the_command_for_napari_names_the_volume(shown, volume):
    shown.locator("#napari").click()
    told = shown.locator("#value").text_content()
    assert told == f"napari --plugin napari-ome-zarr {volume}"
