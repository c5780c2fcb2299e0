"""Start an emulator in a process of its own and talk to it."""

import contextlib
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self

from aws_batch_emulator.environment import ADMINISTRATOR, USER, person_environment
from aws_batch_emulator.faults import Fault
from aws_batch_emulator.settings import Settings

_DEFAULTS = Settings()


class EmulatorError(Exception):
    """The emulator did not start, or refused a control request."""


class Emulator:
    """A running emulator, wherever it was started."""

    def __init__(self, endpoint_url: str, region: str) -> None:
        self.endpoint_url = endpoint_url
        self.region = region

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a user, who may do what was granted: see `grant`."""
        return person_environment(USER, self.endpoint_url, self.region)

    @property
    def administrator(self) -> dict[str, str]:
        """The variables of the account's administrator, who may do everything."""
        return person_environment(ADMINISTRATOR, self.endpoint_url, self.region)

    def grant(self, *policies: str) -> None:
        """Attach managed policies, each by name or ARN, to the user of `environment`."""
        self._request("POST", "grants", {"user": USER.name, "policies": policies})

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

    def decisions(self) -> list[dict[str, Any]]:
        """Return what was allowed and denied: caller, call, action, policy, statement, count."""
        decisions: list[dict[str, Any]] = self._request("GET", "decisions")
        return decisions

    def reset_decisions(self) -> None:
        """Forget what was allowed and denied so far."""
        self._request("DELETE", "decisions")

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

    def turn_clock(self, ahead_s: float) -> None:
        """Let so many seconds go by at once, for lists that lag and jobs that are forgotten."""
        self._request("POST", "clock", {"ahead_s": ahead_s})

    @contextlib.contextmanager
    def lagging(self, **lags_s: float) -> Iterator[None]:
        """Let lists, arrays or logs lag for a while: `lists_s`, `arrays_s`, `logs_s`."""
        before = self._request("POST", "lags", lags_s)
        try:
            yield
        finally:
            self._request("POST", "lags", before)

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
        except OSError as error:  # refused, or reset in the middle of its end
            message = f"no emulator answers at {self.endpoint_url}: {error}"
            raise EmulatorError(message) from None


# The emulator is on this machine: a proxy set in the environment must not be asked.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class OwnEmulator(Emulator):
    """An emulator in a child process of this one; it ends with `stop` or with this process."""

    def __init__(self, endpoint_url: str, region: str, server: subprocess.Popen[bytes]) -> None:
        super().__init__(endpoint_url, region)
        self._server = server

    def stop(self) -> None:
        """Stop the emulator, kill every child, and wait for the server's end."""
        for pipe in (self._server.stdin, self._server.stdout):
            assert pipe is not None  # noqa: S101 - for mypy: both were opened
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
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
    bucket: str = _DEFAULTS.bucket,
    stack: str | None = _DEFAULTS.stack,
    region: str = _DEFAULTS.region,
    port: int = _DEFAULTS.port,
    slots: int = _DEFAULTS.slots,
    grace_s: float = _DEFAULTS.grace_s,
    timeout_scale: float = _DEFAULTS.timeout_scale,
    children: str = _DEFAULTS.children,
    lag_s: float = _DEFAULTS.lag_s,
    summary_lag_s: float = _DEFAULTS.summary_lag_s,
    log_lag_s: float = _DEFAULTS.log_lag_s,
    enforce_roles: bool = _DEFAULTS.enforce_roles,
    quotas: Mapping[str, int] | None = None,
    variables: Mapping[str, str] | None = None,
) -> OwnEmulator:
    """Start an emulator in a process of its own; use it as a context manager.

    The parameters are those of `Settings`.

    Raises
    ------
    EmulatorError
        If the server does not come up.
    """
    return start_with(
        Settings(
            bucket=bucket,
            stack=stack,
            region=region,
            port=port,
            slots=slots,
            grace_s=grace_s,
            timeout_scale=timeout_scale,
            children=children,
            lag_s=lag_s,
            summary_lag_s=summary_lag_s,
            log_lag_s=log_lag_s,
            enforce_roles=enforce_roles,
            quotas=dict(quotas or {}),
            variables=dict(variables or {}),
        )
    )


def start_with(settings: Settings) -> OwnEmulator:
    """Start an emulator with settings made elsewhere; otherwise as `start`."""
    endpoint_url, server = _launch(settings, "--settings-from-stdin")
    return OwnEmulator(endpoint_url, settings.region, server)


def start_detached(settings: Settings) -> Emulator:
    """Start an emulator that outlives this process, until it is told to stop."""
    endpoint_url, _ = _launch(settings, "--settings-from-stdin", "--detached")
    return Emulator(endpoint_url, settings.region)


def _launch(settings: Settings, *options: str) -> tuple[str, subprocess.Popen[bytes]]:
    # A session of its own: Ctrl-C in the terminal ends the caller's work, which may still need
    # the emulator to cancel its jobs.
    server = subprocess.Popen(
        [sys.executable, "-m", "aws_batch_emulator", "serve", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert server.stdin is not None and server.stdout is not None  # noqa: S101 - for mypy
    server.stdin.write(settings.to_json().encode() + b"\n")
    server.stdin.flush()
    line = server.stdout.readline()
    if not line:
        server.stdin.close()
        server.stdout.close()
        raise EmulatorError(f"the emulator did not start (exit code {server.wait()})")
    return json.loads(line)["AWS_ENDPOINT_URL"], server
