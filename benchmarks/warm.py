"""A Python that has imported Snakemake already: each start is a fork, at a tenth of the price.

Tests and benchmarks that start thousands of Snakemakes spend nearly all their time on imports.
Within `warm_python` there is a folder with a `python` that does what `python -m MODULE` does, in a
process forked from one that has imported what Snakemake needs. Open files, environment, directory,
signals, exit code and SIGKILL are passed on; nothing else is shared (Linux).
"""

import fcntl
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

_STARTED_WARM = ("snakemake", "tomobatch.")
"""How the name of a module begins that is started by a fork; all else by the Python itself."""

_SERVICES = ("s3", "batch", "ec2", "logs", "sts", "cloudformation")
"""What controllers and children ask; botocore reads megabytes of JSON before it does."""

_MOST_FILES = 32
"""Open files that one process can be given."""

_HIGH = 1000
"""Files are moved above this number before each gets its own, lest one stand in another's place."""

_CLIENT = """#!/usr/bin/env -S "{python}" -IS
import json, os, signal, socket, sys
if sys.argv[1:2] != ["-m"] or not sys.argv[2].startswith({warm}):
    os.execv("{python}", ["{python}", *sys.argv[1:]])
def passed(number):
    try:
        return os.get_inheritable(number)
    except OSError:
        return False
files = [number for number in map(int, os.listdir("/proc/self/fd")) if passed(number)]
server = socket.socket(socket.AF_UNIX)
server.connect("{address}")
request = json.dumps([sys.argv[2:], dict(os.environ), os.getcwd(), files]).encode()
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda number, frame: server.send(bytes([number])))
socket.send_fds(server, [len(request).to_bytes(4, "big")], files)
server.sendall(request)
code = int(server.recv(16) or b"-9")
if code < 0:
    signal.signal(-code, signal.SIG_DFL) if code != -9 else None
    os.kill(os.getpid(), -code)
os._exit(code)
"""


@contextmanager
def warm_python(*ahead: str) -> Iterator[Path]:
    """Give the path of a `python` that starts Snakemake by a fork.

    Parameters
    ----------
    ahead
        Modules that are imported besides.
    """
    with tempfile.TemporaryDirectory(prefix="warm-") as folder:
        address, python = f"{folder}/socket", Path(folder) / "python"
        client = _CLIENT.format(python=sys.executable, address=address, warm=_STARTED_WARM)
        python.write_text(client)
        python.chmod(stat.S_IRWXU)
        server = subprocess.Popen(
            [sys.executable, __file__, address, str(python), *ahead],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert server.stdin is not None and server.stdout is not None
        server.stdout.readline()
        try:
            yield python
        finally:
            server.stdin.close()
            server.stdout.close()
            server.wait()


def warm_image(python: Path) -> dict[str, str]:
    """Return the variables of an emulated image whose `python` this is."""
    own = Path(sys.executable).parent
    return {"PATH": os.pathsep.join([str(python.parent), str(own), os.environ["PATH"]])}


def main(address: str, python: str, *ahead: str) -> None:
    """Serve until standard input ends; in each forked process, run what was asked for."""
    known = dict(os.environ)
    _import(ahead)
    # OpenCL's loader ends the process where a variable of its own is missing.
    made = {name: value for name, value in os.environ.items() if known.get(name) != value}
    request = _serve(address)
    if request is None:
        return
    words, environment, folder, _ = request
    os.environ.clear()
    os.environ.update({**made, **environment})
    os.chdir(folder)
    tempfile.tempdir = None
    sys.executable = python
    sys.argv, sys.path[0] = words, folder
    from snakemake.workflow import Workflow

    Workflow._rundir = folder
    signal.signal(signal.SIGINT, signal.default_int_handler)
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)


def _import(ahead: Sequence[str]) -> None:
    from snakemake.cli import get_argument_parser

    from snakemake_executor_plugin_aws_batch_array.worker.snakemake_call import IMPORTED_LATE

    get_argument_parser()
    for name in (*IMPORTED_LATE, *ahead):
        importlib.import_module(name)
    _read_descriptions()
    gc.collect()
    gc.freeze()


def _read_descriptions() -> None:
    """Read what botocore knows of the services that runs call, for all sessions to come."""
    import boto3
    import botocore.session

    botocore.session.create_loader = cache(botocore.session.create_loader)
    nobody = boto3.Session("none", "none", region_name="us-east-1")
    for service in _SERVICES:
        nobody.client(service)
    nobody.resource("s3")


def _serve(address: str) -> list[Any] | None:
    """Fork for each connection; return in the forked process what it is to run."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(64)
        print(flush=True)
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                return None
            connection, _ = listener.accept()
            if os.fork() == 0:
                break
            connection.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    return _start(connection)


def _start(connection: socket.socket) -> list[Any]:
    """Start one process and stand between it and its client; return in the process itself."""
    length, files, _, _ = socket.recv_fds(connection, 4, _MOST_FILES)
    n_left, request = int.from_bytes(length, "big"), b""
    while not request or len(request) < n_left:
        received = connection.recv(n_left - len(request)) if length else b""
        if not received:
            os._exit(0)  # the client was killed before it had said all
        request += received
    pid = os.fork()
    if pid == 0:
        os.setsid()
        connection.close()
        asked: list[Any] = json.loads(request)
        _take(files, asked[-1])
        return asked
    for file in (0, 1, 2, *files):
        os.close(file)
    code = _follow(connection, pid)
    with suppress(OSError):
        connection.send(str(code).encode())
    os._exit(0)


def _take(files: Sequence[int], numbers: Sequence[int]) -> None:
    """Give each of the client's open files the number that it has there."""
    moved = [fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, _HIGH) for file in files]
    for file in files:
        os.close(file)
    for file, number in zip(moved, numbers, strict=True):
        os.dup2(file, number)
        os.close(file)


def _follow(connection: socket.socket, pid: int) -> int:
    """Pass signals on until a process or its client ends, which ends the other; return its code."""
    end = os.pidfd_open(pid)
    while True:
        ready, _, _ = select.select([connection, end], [], [])
        if end in ready:
            break
        signals = connection.recv(16)
        if not signals:
            break
        for number in signals:
            os.kill(pid, number)
    _kill_session(pid)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _kill_session(session: int) -> None:
    """Kill the processes of a session until none is left: one that is killed may have forked."""
    while alive := _processes_of(session):
        for pid in alive:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _processes_of(session: int) -> list[int]:
    """Return the processes of a session that have not ended, and the one that leads it."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError):
            pid, fields = int(path.parent.name), path.read_text().rpartition(")")[2].split()
            # Its leader may not have opened it yet.
            if session in (pid, int(fields[3])) and fields[0] not in "ZX":
                found.append(pid)
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
