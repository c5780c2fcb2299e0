"""Start an emulator in a process of its own and talk to it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from aws_batch_emulator.environment import user_environment
from aws_batch_emulator.faults import Fault


class EmulatorError(Exception):
    """The emulator did not start, or refused a control request."""


class Emulator:
    """A running emulator, wherever it was started."""

    def __init__(self, endpoint_url: str, region: str) -> None:
        self.endpoint_url = endpoint_url
        self.region = region

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point AWS clients at this emulator."""
        return user_environment(self.endpoint_url, self.region)

    def calls(self, origin: str | None = "user") -> dict[str, int]:
        """Return how often each call was made, `service:Action` -> count.

        Parameters
        ----------
        origin
            `user` for calls made with `environment`, `job` for calls made by children,
            None for both together.
        """
        counts: dict[str, dict[str, int]] = self._request("GET", "calls")
        if origin is not None:
            return counts[origin]
        total = dict(counts["user"])
        for call, number in counts["job"].items():
            total[call] = total.get(call, 0) + number
        return total

    def reset_calls(self) -> None:
        """Start counting calls from zero."""
        self._request("DELETE", "calls")

    def live_jobs(self) -> list[dict[str, Any]]:
        """Return the plain jobs and children that are not final, with the pid of those running."""
        live: list[dict[str, Any]] = self._request("GET", "live")
        return live

    def jobs(self) -> list[dict[str, Any]]:
        """Return every plain job and child ever submitted: id, name, status, attempts."""
        jobs: list[dict[str, Any]] = self._request("GET", "jobs")
        return jobs

    def inject(self, fault: Fault) -> None:
        """Set a fault."""
        self._request("POST", "faults", fault.to_json())

    def faults(self) -> list[dict[str, Any]]:
        """Return the faults that were set, each with how often it struck."""
        faults: list[dict[str, Any]] = self._request("GET", "faults")
        return faults

    def clear_faults(self) -> None:
        """Take back every fault."""
        self._request("DELETE", "faults")

    def wait_until_idle(self, timeout_s: float = 30.0) -> None:
        """Wait until no job is live; TimeoutError with the jobs that still are."""
        deadline = time.monotonic() + timeout_s
        while live := self.live_jobs():
            if time.monotonic() > deadline:
                raise TimeoutError(f"still live after {timeout_s:g} s: {live}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop the emulator and kill every child."""
        self._request("POST", "stop")

    def _request(self, method: str, name: str, payload: object = None) -> Any:  # noqa: ANN401 - any JSON
        request = urllib.request.Request(  # noqa: S310 - the loopback address
            f"{self.endpoint_url}/emulator/{name}",
            method=method,
            data=None if payload is None else json.dumps(payload).encode(),
        )
        try:
            with _OPENER.open(request, timeout=60) as reply:
                return json.loads(reply.read())
        except urllib.error.HTTPError as error:
            raise EmulatorError(error.read().decode(errors="replace")) from None


# The emulator is on this machine: a proxy set in the environment must not be asked.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class OwnEmulator(Emulator):
    """An emulator in a child process of this one; it ends with `stop` or with this process."""

    def __init__(self, endpoint_url: str, region: str, server: subprocess.Popen[bytes]) -> None:
        super().__init__(endpoint_url, region)
        self._server = server

    def stop(self) -> None:
        """Stop the emulator, kill every child, and wait for the server's end."""
        assert self._server.stdin is not None  # noqa: S101 - for the type checker
        with contextlib.suppress(BrokenPipeError):
            self._server.stdin.close()
        if self._server.stdout is not None:
            self._server.stdout.close()
        self._server.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def start(
    *,
    bucket: str = "tomobatch-data",
    stack: str | None = "tomobatch",
    region: str = "eu-central-1",
    port: int = 0,
    slots: int | None = None,
    grace_s: float = 30.0,
    children: str = "process",
    variables: Mapping[str, str] | None = None,
) -> OwnEmulator:
    """Start an emulator in a process of its own; use it as a context manager.

    Parameters
    ----------
    bucket
        The data bucket to create.
    stack
        The prefix of the CloudFormation stacks to create; None creates nothing.
    region
        The region of everything.
    port
        The port on 127.0.0.1; 0 takes a free one.
    slots
        How many children of one queue run at once; None: the number of cores.
    grace_s
        Seconds between SIGTERM and SIGKILL; AWS gives 30.
    children
        `process`, `docker`, `instant` or `module:function`; see `ServerSettings`.
    variables
        Variables every child gets, as an image's ENV would give them.

    Raises
    ------
    EmulatorError
        If the server does not come up.
    """
    command = [sys.executable, "-m", "aws_batch_emulator", "serve", "--json", "--until-stdin-ends"]
    command += ["--region", region, "--port", str(port), "--grace-s", str(grace_s)]
    command += ["--children", children, "--bucket", bucket]
    command += ["--no-stack"] if stack is None else ["--stack", stack]
    command += [] if slots is None else ["--slots", str(slots)]
    for name, value in (variables or {}).items():
        command += ["--env", f"{name}={value}"]
    # A session of its own: Ctrl-C in the terminal ends the caller's work, which may still need
    # the emulator to cancel its jobs.
    server = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    assert server.stdout is not None  # noqa: S101 - for the type checker
    line = server.stdout.readline()
    if not line:
        raise EmulatorError(f"the emulator did not start (exit code {server.wait()})")
    return OwnEmulator(json.loads(line)["AWS_ENDPOINT_URL"], region, server)
