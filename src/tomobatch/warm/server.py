"""The warm process: imports once what the scripts import, then forks for each that is asked for.

It opens no file of the run, makes no OpenCL context and starts no thread, so that its forks are as
good as new. It ends with the process that keeps its standard input open, however that one ends.
"""

import ast
import contextlib
import gc
import importlib
import os
import select
import signal
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tomobatch.warm.request import attend, die_with_parent

_SNAKEMAKES = ("snakemake.script", "snakemake.iocontainers", "snakemake.logging")


def serve(address: str, scripts: Path, listener: socket.socket) -> None:
    """Answer launchers until standard input ends; remove the socket and its folder then."""
    known = dict(os.environ)
    # Jobs have threads of their own, which those of OpenBLAS would only wait beside.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Ctrl-C reaches all processes of a terminal: the scripts end of it, and then the keeper.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        import_all(scripts)
        _Server(listener, known).run()
    finally:
        Path(address).unlink(missing_ok=True)
        Path(address).parent.rmdir()


def import_all(scripts: Path) -> None:
    """Import what Snakemake's scripts need, and every module that a script of a folder imports."""
    names = list(_SNAKEMAKES)
    # What cannot be read or imported, the job of its script tells, where its user looks.
    for path in sorted(scripts.glob("*.py")):
        with contextlib.suppress(OSError, SyntaxError, ValueError):
            names += imports(path)
    for name in dict.fromkeys(names):
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    if "numba" in sys.modules:
        # What the first compiled function of a process takes, half a second, is done once.
        sys.modules["numba"].njit(lambda: None)()
    gc.collect()
    # Objects that are never looked at again keep their pages shared with the forks.
    gc.freeze()


def imports(script: Path) -> Iterator[str]:
    """Yield the modules that a script imports first of all; it is read, and not run."""
    for statement in ast.parse(script.read_bytes()).body:
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom) and statement.module:
            yield statement.module


@dataclass
class _Server:
    listener: socket.socket
    known: dict[str, str]
    links: dict[int, tuple[int, socket.socket]] = field(default_factory=dict)
    """By the descriptor of a fork: its number, and the link to its launcher."""
    ready: select.poll = field(default_factory=select.poll)

    def run(self) -> None:
        keeper = sys.stdin.fileno()
        self.ready.register(keeper, select.POLLIN)
        self.ready.register(self.listener, select.POLLIN)
        while True:
            for file, _ in self.ready.poll():
                if file == keeper:
                    return self.end()
                if file == self.listener.fileno():
                    self.fork(self.listener.accept()[0])
                elif file in self.links:
                    self.answer(file)
                else:
                    self.stop(file)

    def fork(self, link: socket.socket) -> None:
        """Start a fork for a launcher; watch for the end of either."""
        pid = os.fork()
        if pid == 0:
            die_with_parent()
            self.listener.close()
            for _, other in self.links.values():
                other.close()
            attend(link, self.known)
        ended = os.pidfd_open(pid)
        self.links[ended] = (pid, link)
        self.ready.register(ended, select.POLLIN)
        # No event is asked for: what the launcher sends is the fork's to read. Its end is told.
        self.ready.register(link, 0)

    def answer(self, ended: int) -> None:
        """Tell a launcher how its script has ended."""
        pid, link = self.links.pop(ended)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        self.ready.unregister(ended)
        os.close(ended)
        # The launcher may have gone first.
        with contextlib.suppress(KeyError, OSError):
            self.ready.unregister(link)
            link.sendall(str(code if code >= 0 else 128 - code).encode())
        link.close()

    def stop(self, file: int) -> None:
        """End the script of a launcher that was ended."""
        if file not in (link.fileno() for _, link in self.links.values()):
            return  # Told together with the end of its script, which was answered already.
        self.ready.unregister(file)
        for pid, link in self.links.values():
            if link.fileno() == file:
                os.kill(pid, signal.SIGTERM)

    def end(self) -> None:
        """End all scripts: who asked for them is gone, and another run may write the same files."""
        for pid, _ in self.links.values():
            os.kill(pid, signal.SIGTERM)
        for pid, _ in self.links.values():
            os.waitpid(pid, 0)


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]), socket.socket(fileno=int(sys.argv[3])))
