"""Children as processes: a private directory, a clean environment, one process group.

Decision 71.
"""

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
from typing import IO, Any, Protocol

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


Launcher = Callable[[Sequence[str], Mapping[str, str], Mapping[str, Any], LogWriter], Process]
"""Starts a command: (command, environment, container properties, log writer) -> Process."""


class CannotPullImage(Exception):
    """The image of a container is not there."""


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
        try:
            self._process = subprocess.Popen(
                list(command),
                cwd=self._directory,
                env={**environment, "HOME": home, "TMPDIR": home, "PWD": home},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError:
            shutil.rmtree(self._directory, ignore_errors=True)
            raise
        self._reader = copy_lines(self._process, write_log)

    @property
    def pid(self) -> int:
        """The process id of the command, which is also its process group's."""
        return self._process.pid

    def wait(self) -> int:
        """Wait for the end, clear away what the command left, and return the exit code."""
        code = self._process.wait()
        # A container ends with its first process: so does everything that one started.
        self.kill()
        self._reader.join()
        shutil.rmtree(self._directory, ignore_errors=True)
        return code if code >= 0 else 128 - code

    def terminate(self) -> None:
        """Send SIGTERM to the command."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL to the command and everything it started, also while it was killed."""
        while self._signal_all(signal.SIGKILL):
            pass

    def freeze(self) -> None:
        """Stop them all, as a command stuck in the kernel would be."""
        self._signal_all(signal.SIGSTOP)

    def _signal_all(self, number: signal.Signals) -> bool:
        """Return whether there was any process that may have left the group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)
        found = _processes_with(f"HOME={self._directory}")
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)
        return bool(found)


def _processes_with(variable: str) -> list[int]:
    """Find processes by a variable in their environment, where /proc tells (Linux).

    A container's end takes every process in it along, also those that left the group.
    """
    marker = variable.encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if marker in entry.read_bytes().split(b"\0"):
                found.append(int(entry.parent.name))
    return found


def copy_lines(process: subprocess.Popen[bytes], write_log: LogWriter) -> threading.Thread:
    """Send every line of a process's output to the log as soon as it is there."""
    reader = threading.Thread(target=_copy_lines, args=(process.stdout, write_log), daemon=True)
    reader.start()
    return reader


def _copy_lines(output: IO[bytes], write_log: LogWriter) -> None:
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
        command: Sequence[str],
        environment: Mapping[str, str],
        container: Mapping[str, Any],
        write_log: LogWriter,
    ) -> Process:
        whole = {**base_environment(scratch), **environment}
        return LocalProcess(command, whole, write_log, scratch)

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
