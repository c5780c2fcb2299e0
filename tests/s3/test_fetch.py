"""Fetching goes on from the bytes that are there, from a server that drops, stalls and changes."""

import re
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tomobatch.errors import UserError
from tomobatch.s3 import fetch as fetch_module
from tomobatch.s3 import read
from tomobatch.s3.fetch import fetch_files
from tomobatch.s3.listing import RemoteFile

CONTENT = bytes(range(256)) * 4000
PIECE_BYTES = len(CONTENT) // 8
URL = "s3://data/results"
STAMP = "Wed, 25 Nov 2026 10:00:00 GMT"


class Server(ThreadingHTTPServer):
    """One object, of which each request gets `most` bytes before the line goes dead or quiet."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = CONTENT
        self.tag = '"one"'
        self.most = None
        self.stalls = False
        self.pause_s = 0.0
        self.offsets = []
        self.wake = threading.Event()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self._head(200, len(self.server.content))

    def do_GET(self):
        server = self.server
        if self.headers.get("If-Match", server.tag) != server.tag:
            self._head(412, 0)
            return
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        offset = int(match[1]) if match else 0
        server.offsets.append(offset)
        n_bytes = len(server.content)
        end = int(match[2]) + 1 if match and match[2] else n_bytes
        body = server.content[offset:end]
        self._head(206, len(body), f"bytes {offset}-{end - 1}/{n_bytes}")
        sent = body if server.most is None else body[: server.most]
        piece = len(sent) if not server.pause_s else PIECE_BYTES
        for start in range(0, len(sent), piece or 1):
            server.wake.wait(server.pause_s)
            self.wfile.write(sent[start : start + piece])
        if server.most is not None and server.most < len(body):
            self.wfile.flush()
            if server.stalls:
                server.wake.wait(30)
            self.close_connection = True

    def _head(self, code, length, content_range=None):
        self.send_response(code)
        self.send_header("ETag", self.server.tag)
        self.send_header("Last-Modified", STAMP)
        self.send_header("Content-Length", str(length))
        if content_range is not None:
            self.send_header("Content-Range", content_range)
        self.end_headers()


@pytest.fixture
def server(monkeypatch):
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("AWS_REGION", "eu-central-1")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "x")
        monkeypatch.setattr(fetch_module, "_PAUSES_S", (0.0,) * 5)
        yield server
        server.wake.set()
        server.shutdown()


def partials(folder):
    return list(folder.rglob("*.partial"))


def wanted(server):
    return RemoteFile("volume", len(server.content), 1.0, server.tag)


def test_an_object_comes_whole(server, tmp_path):
    counted = []

    assert fetch_files(URL, tmp_path, ["volume"], progress=counted.append) == 1

    assert (tmp_path / "volume").read_bytes() == CONTENT
    assert sum(counted) == len(CONTENT)
    assert partials(tmp_path) == []


def test_a_line_that_drops_again_and_again_brings_it_all_the_same(server, tmp_path):
    server.most = 50_000
    counted = []

    fetch_files(URL, tmp_path, [wanted(server)], progress=counted.append)

    assert (tmp_path / "volume").read_bytes() == CONTENT
    assert sum(counted) == len(CONTENT)
    # Never again from the beginning.
    assert server.offsets == sorted(set(server.offsets))
    assert len(server.offsets) > 20 > fetch_module._TRIES


@pytest.mark.parametrize("whole_s", [None, 1])
def test_a_slow_line_is_no_fault(server, tmp_path, monkeypatch, whole_s):
    """It takes three times as long as it may be silent; a limit on the whole would break it off."""
    monkeypatch.setattr(read, "_SILENCE", timedelta(seconds=1))
    if whole_s is not None:
        monkeypatch.setattr(read, "_EVER", timedelta(seconds=whole_s))
    server.pause_s = 0.4

    fetch_files(URL, tmp_path, [wanted(server)])

    assert (tmp_path / "volume").read_bytes() == CONTENT
    assert (len(server.offsets) == 1) == (whole_s is None)


def test_a_line_that_falls_silent_is_given_up_and_taken_up_again(server, tmp_path, monkeypatch):
    monkeypatch.setattr(read, "_SILENCE", timedelta(seconds=1))
    server.most, server.stalls = len(CONTENT) // 2 + 1, True

    fetch_files(URL, tmp_path, [wanted(server)])

    assert (tmp_path / "volume").read_bytes() == CONTENT
    assert len(server.offsets) == 2


def test_a_network_that_is_down_keeps_what_has_come_and_a_later_call_goes_on(server, tmp_path):
    server.most = 300_000
    calls = []

    def lose_the_network(count):
        calls.append(count)
        server.most = 0

    with pytest.raises(UserError, match="it goes on from there"):
        fetch_files(URL, tmp_path, [wanted(server)], progress=lose_the_network)
    assert not (tmp_path / "volume").exists()
    (partial,) = partials(tmp_path)
    kept = partial.stat().st_size
    assert 0 < kept < len(CONTENT)
    server.most, server.offsets = None, []
    counted = []

    assert fetch_files(URL, tmp_path, [wanted(server)], progress=counted.append) == 1

    assert server.offsets == [kept]
    assert counted[0] == kept
    assert sum(counted) == len(CONTENT)
    assert (tmp_path / "volume").read_bytes() == CONTENT
    assert partials(tmp_path) == []


def test_the_bytes_of_an_older_object_are_not_mixed_with_those_of_a_newer(server, tmp_path):
    server.most = 300_000

    def lose_the_network(_count):
        server.most = 0

    with pytest.raises(UserError):
        fetch_files(URL, tmp_path, [wanted(server)], progress=lose_the_network)
    server.most, server.tag, server.content = None, '"two"', CONTENT[::-1]

    fetch_files(URL, tmp_path, [wanted(server)])

    assert (tmp_path / "volume").read_bytes() == CONTENT[::-1]


def test_an_object_that_changes_meanwhile_is_told(server, tmp_path):
    before = wanted(server)
    server.tag = '"two"'

    with pytest.raises(UserError, match="changed while it was fetched"):
        fetch_files(URL, tmp_path, [before])
    assert not (tmp_path / "volume").exists()


def test_an_empty_object(server, tmp_path):
    server.content = b""

    assert fetch_files(URL, tmp_path, [wanted(server)]) == 1

    assert (tmp_path / "volume").read_bytes() == b""


def test_what_is_here_is_not_fetched_again(server, tmp_path):
    fetch_files(URL, tmp_path, [wanted(server)])
    server.offsets.clear()

    assert fetch_files(URL, tmp_path, [wanted(server)]) == 0
    assert server.offsets == []
