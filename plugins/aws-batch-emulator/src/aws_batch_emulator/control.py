"""The emulator's own endpoints, below /emulator/: faults, calls, live jobs, stop."""

import json
from collections.abc import Callable
from typing import Any

from aws_batch_emulator import moto_iam
from aws_batch_emulator.access.gate import Gate
from aws_batch_emulator.calls import CallLog, read_body
from aws_batch_emulator.child_addresses import CREDENTIALS_PATH, METADATA_PATH, TASK_PATH
from aws_batch_emulator.child_credentials import ChildCredentials
from aws_batch_emulator.faults import Fault, FaultBook
from aws_batch_emulator.jobs import Job
from aws_batch_emulator.machines import Fleet
from aws_batch_emulator.replies import StartResponse, send_json, send_text
from aws_batch_emulator.scheduler import Scheduler


class Control:
    """Answers requests that carry no AWS signature."""

    def __init__(
        self,
        scheduler: Scheduler,
        faults: FaultBook,
        calls: CallLog,
        gate: Gate,
        fleet: Fleet,
        credentials: ChildCredentials,
        turn_clock: Callable[[float], None],
        set_lags: Callable[..., dict[str, float]],
        stop: Callable[[], None],
    ) -> None:
        self._scheduler = scheduler
        self._faults = faults
        self._fleet = fleet
        self._credentials = credentials
        self._routes: dict[tuple[str, str], Callable[[Any], Any]] = {
            ("GET", "/emulator/calls"): lambda _: calls.counts(),
            ("DELETE", "/emulator/calls"): lambda _: calls.reset(),
            ("GET", "/emulator/decisions"): lambda _: gate.decisions(),
            ("DELETE", "/emulator/decisions"): lambda _: gate.reset(),
            ("POST", "/emulator/grants"): lambda body: moto_iam.attach(**body),
            ("GET", "/emulator/live"): lambda _: self._live(),
            ("GET", "/emulator/jobs"): lambda _: [_row(job) for job in scheduler.children()],
            ("POST", "/emulator/clock"): lambda body: turn_clock(float(body["ahead_s"])),
            ("POST", "/emulator/lags"): lambda body: set_lags(**body),
            ("GET", "/emulator/faults"): lambda _: faults.listing(),
            ("POST", "/emulator/faults"): lambda body: scheduler.apply_fault(Fault(**body)),
            ("DELETE", "/emulator/faults"): lambda _: faults.clear(),
            ("POST", "/emulator/stop"): lambda _: stop(),
        }

    def handle(self, environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        """Answer one request (WSGI)."""
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        body = read_body(environ)
        if path.startswith(METADATA_PATH):
            item = self._fleet.metadata(method, path.removeprefix(METADATA_PATH))
            if item is None:
                return send_text(start_response, "not found", "404 Not Found")
            return send_text(start_response, item)
        for root, find in (
            (CREDENTIALS_PATH, self._credentials.answer),
            (TASK_PATH, self._credentials.task),
        ):
            if path.startswith(root):
                found = find(path.removeprefix(root))
                status = "200 OK" if found else "404 Not Found"
                return send_json(start_response, found or {"message": "not found"}, status)
        route = self._routes.get((method, path))
        if route is None:
            message = f"{method} {path} is neither a signed AWS call nor a control request"
            return send_json(start_response, {"message": message}, "404 Not Found")
        try:
            return send_json(start_response, route(json.loads(body or b"null")))
        except (TypeError, ValueError) as error:
            return send_json(start_response, {"message": str(error)}, "400 Bad Request")

    def _live(self) -> list[dict[str, Any]]:
        pids = self._scheduler.processes()
        return [
            {**_row(job), "pid": pids.get(job.id)}
            for job in self._scheduler.children()
            if not job.status.is_final
        ]


def _row(job: Job) -> dict[str, Any]:
    """Return one plain job or child in a line."""
    return {
        "jobId": job.id,
        "jobName": job.spec.name,
        "status": job.status.value,
        "attempts": len(job.attempts),
    }
