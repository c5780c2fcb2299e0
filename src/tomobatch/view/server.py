"""The page and its planes over HTTP, on loopback alone and behind a name that is a secret."""

import json
import secrets
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files

from tomobatch.view.volume import Volume

_LOOPBACK = "127.0.0.1"

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
    """

    daemon_threads = True

    def __init__(self, volume: Volume, level: int = 0, port: int = 0) -> None:
        super().__init__((_LOOPBACK, port), _Handler)
        self.volume = volume
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
            return "text/html; charset=utf-8", (files(__package__) / "page.html").read_bytes()
        if path in ("page.js", "page.css"):
            kind = "text/javascript" if path.endswith("js") else "text/css"
            return kind, (files(__package__) / path).read_bytes()
        if path == "volume.json":
            facts = {**self.volume.facts(), "finest": self.level}
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
        _, secret, path = [*self.path.partition("?")[0].split("/", 2), ""][:3]
        own = f"{_LOOPBACK}:{self.server.server_address[1]}"
        if self.headers.get("Host") != own or not secrets.compare_digest(
            secret, self.server.secret
        ):
            self.send_error(HTTPStatus.FORBIDDEN)
            return
        self._send(lambda: self.server.answer(path))

    def _send(self, find: Callable[[], Answer]) -> None:
        try:
            kind, body = find()
        except (LookupError, ValueError):
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        try:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("Content-Security-Policy", "default-src 'self'; img-src 'self' data:")
            self.end_headers()
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            # The page has moved on to another plane.
            return

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing on the terminal of each plane."""
