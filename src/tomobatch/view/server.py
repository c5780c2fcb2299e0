"""The page and its planes over HTTP, on loopback alone and behind a name that is a secret.

Neuroglancer, a page of another server, may read the volume's files as well, for those who follow
the link to it: its address holds the secret.
"""

import json
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files

from tomobatch.view.elsewhere import NEUROGLANCER, napari_command, neuroglancer_url, origin_of
from tomobatch.view.raw import read_piece
from tomobatch.view.volume import Volume

_LOOPBACK = "127.0.0.1"
_FILES = "volume.ome.zarr/"

Answer = tuple[str, bytes]


class ViewServer(ThreadingHTTPServer):
    """Serves one volume.

    Parameters
    ----------
    volume
        What is looked at.
    level
        The finest level to show.
    port
        Where to listen; 0 takes a free port.
    neuroglancer
        Where that viewer is served.
    """

    daemon_threads = True

    def __init__(
        self, volume: Volume, level: int = 0, port: int = 0, neuroglancer: str = NEUROGLANCER
    ) -> None:
        super().__init__((_LOOPBACK, port), _Handler)
        self.volume = volume
        self.neuroglancer = neuroglancer
        self.level = level
        self.secret = secrets.token_urlsafe(16)

    @property
    def url(self) -> str:
        """Where the page is; nobody else on this machine can guess it."""
        return f"http://{_LOOPBACK}:{self.server_address[1]}/{self.secret}/"

    def answer(self, path: str) -> Answer:
        """Return the content of a path, and its type.

        Raises
        ------
        LookupError, ValueError
            If there is no such thing.
        """
        if path == "":
            self.volume.held.forget()
            return "text/html; charset=utf-8", (files(__package__) / "page.html").read_bytes()
        if path in ("page.js", "page.css"):
            kind = "text/javascript" if path.endswith("js") else "text/css"
            return kind, (files(__package__) / path).read_bytes()
        if path == "volume.json":
            facts = {
                **self.volume.facts(),
                "finest": self.level,
                "neuroglancer": neuroglancer_url(self.volume, self.url + _FILES, self.neuroglancer),
                "napari": napari_command(self.volume),
            }
            return "application/json", json.dumps(facts).encode()
        word, level, axis, index = path.split("/")
        if word != "plane":
            raise LookupError(path)
        plane = self.volume.plane(int(level), axis, int(index))
        return "application/octet-stream", plane.tobytes()


class _Handler(BaseHTTPRequestHandler):
    server: ViewServer

    def do_GET(self) -> None:
        """Answer a request of the page; of another page, and without the secret, none."""
        path = self._own_path()
        if path is None:
            self.send_error(HTTPStatus.FORBIDDEN)
        elif path.startswith(_FILES):
            self._send_file(path.removeprefix(_FILES))
        else:
            self._send_answer(path)

    do_HEAD = do_GET

    def do_OPTIONS(self) -> None:
        """Allow neuroglancer to ask for ranges of the volume's files."""
        path = self._own_path()
        if path is None or not path.startswith(_FILES):
            self.send_error(HTTPStatus.FORBIDDEN)
            return
        allowed = {
            "Access-Control-Allow-Methods": "GET, HEAD",
            "Access-Control-Allow-Headers": "Range",
            # Of a page on the internet that asks a server of this machine.
            "Access-Control-Allow-Private-Network": "true",
        }
        self._send(HTTPStatus.NO_CONTENT, b"", {**allowed, **self._for_neuroglancer()})

    def _own_path(self) -> str | None:
        """Return the path below the secret; None for whoever does not know it."""
        _, secret, path = [*self.path.partition("?")[0].split("/", 2), ""][:3]
        own = f"{_LOOPBACK}:{self.server.server_address[1]}"
        is_own = self.headers.get("Host") == own
        return path if is_own and secrets.compare_digest(secret, self.server.secret) else None

    def _send_answer(self, path: str) -> None:
        try:
            kind, body = self.server.answer(path)
        except (LookupError, ValueError):
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        policy = "default-src 'self'; img-src 'self' data:"
        self._send(HTTPStatus.OK, body, {"Content-Type": kind, "Content-Security-Policy": policy})

    def _send_file(self, name: str) -> None:
        is_head = self.command == "HEAD"
        asked = "bytes=0-0" if is_head else self.headers.get("Range")
        try:
            piece = read_piece(self.server.volume.address, name, asked)
        except LookupError:
            self._send(HTTPStatus.NOT_FOUND, b"", self._for_neuroglancer())
            return
        except ValueError:
            self.send_error(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            return
        headers = {"Content-Type": "application/octet-stream", **self._for_neuroglancer()}
        if asked is None or is_head:
            headers |= {"Accept-Ranges": "bytes", "Content-Length": str(piece.total)}
            self._send(HTTPStatus.OK, piece.content, headers)
        else:
            headers["Content-Range"] = piece.content_range
            self._send(HTTPStatus.PARTIAL_CONTENT, piece.content, headers)

    def _for_neuroglancer(self) -> Mapping[str, str]:
        return {
            "Access-Control-Allow-Origin": origin_of(self.server.neuroglancer),
            "Access-Control-Expose-Headers": "Content-Range, Content-Length",
        }

    def _send(self, status: HTTPStatus, body: bytes, headers: Mapping[str, str]) -> None:
        try:
            self.send_response(status)
            usual = {"Content-Length": str(len(body)), "Cache-Control": "no-store"}
            for name, value in {**usual, **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            # The page has moved on to another plane.
            return

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing on the terminal of each plane."""
