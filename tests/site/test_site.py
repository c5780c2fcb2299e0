"""The documentation as a site: built with every warning an error, and looked at in a browser."""

import re
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.view.conftest import browser, page  # noqa: F401 - fixtures

PAGES = ("index", "docs/tutorial", "docs/reference/cli", "docs/how-to/platforms")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format, *args):
        pass


@pytest.fixture(scope="module")
def site(repository):
    done = subprocess.run(
        [sys.executable, repository / "docs" / "make_site.py"],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert re.search(r"\d+ links lead out of the site:\n", done.stdout)
    handler = partial(Quiet, directory=repository / "build" / "site")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize("width", [420, 1400])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_its_window_and_shows_its_pictures(site, page, name, width):  # noqa: F811
    page.set_viewport_size({"width": width, "height": 900})
    asked_for = []
    page.on("request", lambda asked: asked_for.append(asked.url))
    page.goto(f"{site}/{name}.html")
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    broken = "[...document.images].filter((i) => !i.complete || !i.naturalWidth).map((i) => i.src)"
    assert page.evaluate(broken) == []
    assert [url for url in asked_for if not url.startswith(site)] == []


def test_every_page_of_the_documentation_can_be_found(site, repository):
    config = (repository / "mkdocs.yml").read_text(encoding="utf-8")
    pages = [*(repository / "docs").glob("*.md"), *(repository / "docs" / "how-to").glob("*.md")]
    for path in pages:
        if path.name != "README.md":
            assert path.relative_to(repository).as_posix() in config
