"""Children as processes: a private directory, a clean environment, one process group."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

LogWriter = Callable[[list[str]], None]

# What a base image would set; everything else of the caller's environment stays outside.
_INHERITED = ("LANG", "LC_ALL", "LD_LIBRARY_PATH", "OCL_ICD_VENDORS", "SYSTEMROOT", "TZ")


class Process(Protocol):
    """A child's command while it runs."""

    @property
    def pid(self) -> int | None:
        """The process id on this machine, if it has one."""

    def wait(self) -> int:
        """Wait for the end and return the exit code, 128 + n after signal n."""

    def terminate(self) -> None:
        """Ask the command to end, as `docker stop` does: SIGTERM to its first process only."""

    def kill(self) -> None:
        """End it and everything it started at once."""

    def freeze(self) -> None:
        """Make it hang: it stays there, does nothing, and hears nothing but `kill`."""


Launcher = Callable[[Sequence[str], Mapping[str, str], str, LogWriter], Process]
"""Starts a command: (command, environment, image, log writer) -> Process."""


class LocalProcess:
    """A command as a process group of its own in a private directory that ends with it."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        write_log: LogWriter,
        scratch: Path,
    ) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="child-", dir=scratch))
        home = str(self._directory)
        private = {"HOME": home, "TMPDIR": home, "PWD": home}
        try:
            self._process = subprocess.Popen(
                list(command),
                cwd=self._directory,
                env={**environment, **private},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError:
            shutil.rmtree(self._directory, ignore_errors=True)
            raise
        self._reader = threading.Thread(target=self._copy_output, args=(write_log,), daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process id of the command, which is also its process group's."""
        return self._process.pid

    def wait(self) -> int:
        """Wait for the end, clear away what the command left, and return the exit code."""
        code = self._process.wait()
        # A container ends with its first process: so does everything that one started.
        self._signal_group(signal.SIGKILL)
        self._reader.join()
        shutil.rmtree(self._directory, ignore_errors=True)
        return code if code >= 0 else 128 - code

    def terminate(self) -> None:
        """Send SIGTERM to the command."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL to the whole process group."""
        self._signal_group(signal.SIGKILL)

    def freeze(self) -> None:
        """Stop the whole process group, as a command stuck in the kernel would be."""
        self._signal_group(signal.SIGSTOP)

    def _signal_group(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def _copy_output(self, write_log: LogWriter) -> None:
        """Send every line to the log as soon as it is there."""
        output = self._process.stdout
        assert output is not None  # noqa: S101 - for the type checker: opened with PIPE
        rest = b""
        with output:
            while chunk := os.read(output.fileno(), 65536):
                *lines, rest = (rest + chunk).split(b"\n")
                if lines:
                    write_log([line.decode(errors="replace").rstrip("\r") for line in lines])
        if rest:
            write_log([rest.decode(errors="replace")])


def local_launcher(scratch: Path) -> Launcher:
    """Return a launcher that runs commands as processes with private folders under `scratch`."""

    def launch(
        command: Sequence[str], environment: Mapping[str, str], image: str, write_log: LogWriter
    ) -> Process:
        return LocalProcess(
            command, {**base_environment(scratch), **environment}, write_log, scratch
        )

    return launch


def base_environment(scratch: Path) -> dict[str, str]:
    """Return what the image would set: PATH with this interpreter's commands first, and caches.

    The caches (OpenCL binaries, fonts, sources) are shared by the children of one emulator,
    as they are baked into an image.
    """
    own = str(Path(sys.executable).parent)
    environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    environment["PATH"] = os.pathsep.join([own, os.environ.get("PATH", os.defpath)])
    environment["XDG_CACHE_HOME"] = str(scratch / "cache")
    return environment
