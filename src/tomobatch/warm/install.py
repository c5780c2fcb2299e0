"""Has Snakemake start the Python scripts of a local run by way of the warm process."""

import contextlib
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from tomobatch.warm import launch

_PYTHON = sys.executable
"""As it is: the workflow puts quotes around one with a space in its path, for Snakemake's sake."""

SWITCH = "TOMOBATCH_WARM_STARTS"
"""Set to 0 in the environment, every script starts an interpreter of its own."""


def install(scripts: Path) -> None:
    """Have Python scripts that run in this process's own environment start warm.

    Those of conda environments, containers and modules start as ever, and so do those whose time
    and memory a ``benchmark:`` of Snakemake watches, which looks at descendants alone. Forks are
    safe on Linux only; elsewhere, and where ``TOMOBATCH_WARM_STARTS`` is 0, nothing changes.

    Parameters
    ----------
    scripts
        Folder whose scripts' imports are made ahead of time.

    Raises
    ------
    NotADirectoryError
        There is no such folder: scripts would start as slowly as ever, and nobody would know.
    """
    if not scripts.is_dir():
        raise NotADirectoryError(f"{scripts} holds no scripts to start warm")
    if sys.platform != "linux" or os.environ.get(SWITCH) == "0":
        return
    from snakemake.script import PythonScript

    warm = WarmProcess(scripts)
    plainly = PythonScript.execute_script

    def execute_script(self: Any, fname: str, edit: bool = False) -> None:  # noqa: ANN401
        elsewhere = self.conda_env or self.container_img or self.env_modules
        is_watched = self.bench_record is not None or edit
        command = None if elsewhere or is_watched else warm.command(fname)
        if command is None:
            plainly(self, fname, edit=edit)
        else:
            self._execute_cmd(command, is_python_script=True)

    PythonScript.execute_script = execute_script


class WarmProcess:
    """The warm process of a run, started with its first script; gone with the run.

    Parameters
    ----------
    scripts
        Folder whose scripts' imports are made ahead of time.
    """

    def __init__(self, scripts: Path) -> None:
        self._scripts = scripts
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._address = ""

    def command(self, script: str) -> str | None:
        """Return the command for a shell that runs a script in a fork; None if that cannot be.

        A temporary folder with a long path has no room for a socket's name, a full one for none.
        """
        with self._lock, contextlib.suppress(OSError):
            if self._process is None:
                self._start()
        if self._process is None:
            return None
        command = [_PYTHON, "-IS", launch.__file__, self._address, script]
        # What the shell is given goes through Snakemake's formatting first.
        return shlex.join(command).replace("{", "{{").replace("}", "}}")

    def _start(self) -> None:
        """Start it; it listens from the first moment on, so that no launcher has to wait for it."""
        folder = Path(tempfile.mkdtemp(prefix="tomobatch-"))
        self._address = f"{folder}/warm"
        server = [_PYTHON, "-m", "tomobatch.warm.server", self._address, str(self._scripts)]
        try:
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(self._address)
                listener.listen(launch.BACKLOG)
                self._process = subprocess.Popen(
                    [*server, str(listener.fileno())],
                    # Its end tells the warm process that this one has ended, however it did.
                    stdin=subprocess.PIPE,
                    pass_fds=[listener.fileno()],
                )
        finally:
            if self._process is None:
                shutil.rmtree(folder)

    def stop(self) -> None:
        """End it and every script that it runs, and wait for that."""
        with self._lock:
            if self._process is not None:
                assert self._process.stdin is not None  # noqa: S101 - a pipe, as asked for
                self._process.stdin.close()
                self._process.wait()
                self._process = None
