"""A fork of the warm process: takes a request off its link, and becomes the script."""

import atexit
import contextlib
import ctypes
import json
import logging
import os
import random
import runpy
import signal
import socket
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

N_FILES = 3
"""Standard input, output and error."""

_PR_SET_PDEATHSIG = 1


def attend(link: socket.socket, known: Mapping[str, str]) -> NoReturn:
    """Run the script that is asked for, and end this process as it would have ended.

    Parameters
    ----------
    link
        Connection of a launcher.
    known
        Environment that the warm process started with.
    """
    code = 1
    try:
        with link:
            request = receive(link)
        become(request, known)
        code = run(request["script"])
        # What the interpreter does at its end; the rest of it would tear down what is shared.
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        logging.shutdown()
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)


def die_with_parent() -> None:
    """Have the system end this process with its parent, however that one ends (prctl(2))."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def receive(link: socket.socket) -> dict[str, Any]:
    """Return the request, and make the launcher's standard files those of this process."""
    length, files, _, _ = socket.recv_fds(link, 8, N_FILES)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    body = bytearray()
    while len(body) < int.from_bytes(length, "big"):
        part = link.recv(1 << 16)
        if not part:
            raise ConnectionError("the launcher of a script has ended")
        body += part
    request: dict[str, Any] = json.loads(body)
    return request


def become(request: Mapping[str, Any], known: Mapping[str, str]) -> None:
    """Take on the folder, the environment and the signals of a process of its own.

    Variables that imports have set since the start stay: OpenCL's loader ends the process where
    one of its own is missing.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(request["cwd"])
    for name in known.keys() - request["environ"].keys():
        os.environ.pop(name, None)
    os.environ.update(request["environ"])
    tempfile.tempdir = None
    random.seed()
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()


def run(script: str) -> int:
    """Run a file as the main program and return its exit code."""
    sys.argv = [script]
    sys.path[0] = str(Path(script).resolve().parent)
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        sys.stderr.write(f"{end.code}\n")
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BaseException:
        traceback.print_exc()
        return 1
    return 0
