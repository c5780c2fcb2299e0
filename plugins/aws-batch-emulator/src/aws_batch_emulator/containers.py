"""Children as containers of the job definition's image, through the `docker` command.

The network is the host's, so that a container reaches the emulator on the loopback address.
Images must be there already: nothing is pulled.
Volumes of the definition become private folders: a container never sees the host's own.
"""

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aws_batch_emulator.processes import (
    CannotPullImage,
    Launcher,
    LogWriter,
    Process,
    copy_lines,
)


def docker_launcher(scratch: Path) -> Launcher:
    """Return a launcher that runs commands in containers, with volumes under `scratch`."""

    def launch(
        command: Sequence[str],
        environment: Mapping[str, str],
        container: Mapping[str, Any],
        write_log: LogWriter,
    ) -> Process:
        return ContainerProcess(command, environment, container, write_log, scratch)

    return launch


class ContainerProcess:
    """A container that was started: from here on it can be signalled, paused and killed."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        container: Mapping[str, Any],
        write_log: LogWriter,
        scratch: Path,
    ) -> None:
        self._name = f"aws-batch-emulator-{uuid.uuid4()}"
        self._directory = Path(tempfile.mkdtemp(prefix="container-", dir=scratch))
        folders = make_volumes(container, self._directory)
        created = subprocess.run(
            create_command(self._name, command, environment, container, folders),
            # Values go through the client's environment: on its command line all could read them.
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if created.returncode != 0:
            shutil.rmtree(self._directory, ignore_errors=True)
            raise CannotPullImage(created.stderr.strip())
        started = self._docker("start")
        if started.returncode != 0:
            self._remove()
            raise OSError(started.stderr.strip())
        self.pid = int(self._docker("inspect", "--format", "{{.State.Pid}}").stdout)
        self._logs = subprocess.Popen(
            ["docker", "logs", "--follow", self._name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._reader = copy_lines(self._logs, write_log)

    def wait(self) -> int:
        """Wait for the container's end, remove it, and return its exit code."""
        exit_code = int(self._docker("wait").stdout)
        self._reader.join()
        self._logs.wait()
        self._remove()
        return exit_code

    def terminate(self) -> None:
        """Send SIGTERM to the container's first process."""
        self._docker("kill", "--signal", "TERM")

    def kill(self) -> None:
        """Kill the container."""
        self._docker("unpause")
        self._docker("kill")

    def freeze(self) -> None:
        """Pause the container."""
        self._docker("pause")

    def _remove(self) -> None:
        self._docker("rm", "--force")
        shutil.rmtree(self._directory, ignore_errors=True)

    def _docker(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a docker command on this container; it may be over already."""
        command = ["docker", *words, self._name]
        return subprocess.run(command, capture_output=True, text=True, check=False)


def create_command(
    name: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    container: Mapping[str, Any],
    folders: Mapping[str, Path],
) -> list[str]:
    """Return the `docker create` command of a container, as its job definition asks for it."""
    words = ["docker", "create", "--name", name, "--network", "host", "--pull", "never"]
    for variable in environment:
        words += ["--env", variable]
    if container.get("user"):
        words += ["--user", container["user"]]
    if container.get("readonlyRootFilesystem"):
        words.append("--read-only")
    for mount in container.get("mountPoints") or ():
        option = ":ro" if mount.get("readOnly") else ""
        words += ["--volume", f"{folders[mount['sourceVolume']]}:{mount['containerPath']}{option}"]
    return [*words, container["image"], *command]


def make_volumes(container: Mapping[str, Any], directory: Path) -> dict[str, Path]:
    """Make a folder for each volume, writable for whatever user the image has."""
    folders = {volume["name"]: directory / volume["name"] for volume in container["volumes"]}
    for folder in folders.values():
        folder.mkdir()
        folder.chmod(0o1777)
    if folders:
        directory.chmod(0o755)
    return folders
