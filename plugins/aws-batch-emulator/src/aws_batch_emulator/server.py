"""The emulator's HTTP server: signed requests are AWS calls, all others control it."""

import shutil
import ssl
import tempfile
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from werkzeug.serving import BaseWSGIServer, make_server

from aws_batch_emulator import fargate, moto_iam, moto_seams, quotas, reserved, s3_region
from aws_batch_emulator.access.asked import Asked
from aws_batch_emulator.access.gate import Gate
from aws_batch_emulator.access.guard import Guard
from aws_batch_emulator.batch_api import BatchJobs
from aws_batch_emulator.calls import Call, CallLog, identify, read_body
from aws_batch_emulator.child_credentials import ChildCredentials
from aws_batch_emulator.containers import docker_launcher
from aws_batch_emulator.control import Control
from aws_batch_emulator.endings import Ending
from aws_batch_emulator.environment import ADMINISTRATOR, USER, child_environment
from aws_batch_emulator.faults import FaultBook, FaultKind
from aws_batch_emulator.functions import function_launcher
from aws_batch_emulator.jobs import Attempt, Job, JobSpec, Machine
from aws_batch_emulator.lags import Lags
from aws_batch_emulator.machines import Fleet
from aws_batch_emulator.moto_logs import Logs
from aws_batch_emulator.moto_refusals import unknown_types
from aws_batch_emulator.processes import Launcher, LogWriter, local_launcher
from aws_batch_emulator.replies import StartResponse, drop_connection, send_json, send_throttled
from aws_batch_emulator.scheduler import Scheduler, Surroundings
from aws_batch_emulator.settings import Settings
from aws_batch_emulator.starting import Agent
from aws_batch_emulator.validation import ClientError, check_definition


class Server:
    """The emulator of one region, serving on a thread of its own per connection."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._scratch = Path(tempfile.mkdtemp(prefix="aws-batch-emulator-"))
        self._moto = moto_seams.moto_application()
        self._http = make_server(
            "127.0.0.1",
            settings.port,
            self.application,
            threaded=True,
            request_handler=moto_seams.RequestHandler,
        )
        self._https = self._own_names()
        self.endpoint_url = f"http://127.0.0.1:{self._http.server_port}"
        self._faults = FaultBook()
        self.calls = CallLog()
        self._fleet = Fleet(settings.region)
        lags = Lags.of(settings)
        self._logs = Logs(lags)
        self._gate = Gate(moto_seams.ACCOUNT_ID)
        self._credentials = ChildCredentials(settings.region, moto_seams.ACCOUNT_ID)
        for person in (ADMINISTRATOR, USER):
            administrator = person is ADMINISTRATOR
            moto_iam.add_user(
                person.name, person.key_id, person.secret, administrator=administrator
            )
        self._scheduler = self._make_scheduler()
        self._batch = BatchJobs(self._scheduler, self._faults, settings, lags)
        guard = Guard(self._gate, self._answer)
        self._answer_allowed = guard.answer if settings.enforce_roles else self._answer
        self._control = Control(
            self._scheduler,
            self._faults,
            self.calls,
            self._gate,
            self._fleet,
            self._credentials,
            self._batch.turn_clock,
            lags.set,
            self.stop,
        )

    def serve(self) -> None:
        """Serve until `stop` is called, then kill every child and remove what they left."""
        if self._https is not None:
            threading.Thread(target=self._https.serve_forever, daemon=True).start()
        try:
            self._http.serve_forever(poll_interval=0.05)
        finally:
            self._http.server_close()
            if self._https is not None:
                self._https.shutdown()
                self._https.server_close()
            self._scheduler.stop()
            shutil.rmtree(self._scratch, ignore_errors=True)

    def stop(self) -> None:
        """Make `serve` return."""
        threading.Thread(target=self._http.shutdown, daemon=True).start()

    def application(
        self, environ: dict[str, Any], start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        call = identify(environ)
        if call is None:
            return self._control.handle(environ, start_response)
        origin = self._credentials.origin(call.key_id)
        self.calls.add(call, origin)
        if self._faults.take_for_call(FaultKind.THROTTLE, str(call), origin):
            read_body(environ)
            refusal = send_throttled(start_response, call.service)
            # A body nobody reads would be taken for the connection's next reply.
            return [] if environ["REQUEST_METHOD"] == "HEAD" else refusal
        asked = Asked(call, moto_seams.ACCOUNT_ID, environ)
        elsewhere = s3_region.redirect(asked, start_response)
        if elsewhere is not None:
            read_body(environ)
            return elsewhere
        reply = self._answer_allowed(asked, start_response)
        if self._faults.take_for_call(FaultKind.LOST_REPLY, str(call), origin):
            return drop_connection(environ, reply)
        return reply

    def _answer(self, asked: Asked, start_response: StartResponse) -> Iterable[bytes]:
        call = asked.call
        if str(call) == "servicequotas:GetServiceQuota":
            quota = quotas.answer(asked.json, self.settings.quotas)
            return (
                send_json(start_response, quota)
                if quota
                else self._moto(asked.environ, start_response)
            )
        if call.service != "batch":
            refusal = reserved.refuse(asked, start_response)
            return refusal or self._moto(asked.environ, start_response)
        request = asked.json
        try:
            if action := self._batch.actions.get(call.action):
                self._require_own_region(call)
                return send_json(start_response, action(request, len(asked.body)))
            if call.action == "RegisterJobDefinition":
                check_definition(request)
            if call.action == "CreateComputeEnvironment":
                self._check_types(request)
            if call.action == "CreateJobQueue":
                moto_seams.check_order(self.settings.region, request)
        except ClientError as error:
            message = {"message": str(error)}
            return send_json(start_response, message, "400 Bad Request", "ClientException")
        return self._moto(asked.environ, start_response)

    def _check_types(self, request: Mapping[str, Any]) -> None:
        resources = request.get("computeResources") or {}
        refusal = unknown_types(self.settings.region, resources.get("instanceTypes") or [])
        if refusal := refusal or fargate.refuse_environment(resources):
            raise ClientError(refusal)

    def _require_own_region(self, call: Call) -> None:
        own = self.settings.region
        if call.region != own:
            raise ClientError(f"This emulator has jobs in {own} only, not in {call.region}.")

    def _own_names(self) -> BaseWSGIServer | None:
        """Listen where AWS's own names lead, if they do."""
        settings = self.settings
        if settings.tls_address is None or settings.tls_certificate is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(settings.tls_certificate)
        return make_server(
            settings.tls_address,
            443,
            self.application,
            threaded=True,
            request_handler=moto_seams.RequestHandler,
            ssl_context=context,
        )

    def _make_scheduler(self) -> Scheduler:
        settings = self.settings
        surroundings = Surroundings(
            launch=self._launcher(),
            prepare=self._prepare,
            environment=lambda job, attempt: {
                **child_environment(
                    self.endpoint_url, job, attempt, tell=settings.tls_address is None
                ),
                **settings.variables,
            },
            open_log=self._open_log,
            take_machine=self._take_machine,
            give_back_machine=lambda spec, machine: self._fleet.give_back(spec.queue_name, machine),
        )
        return Scheduler(surroundings, self._faults, settings)

    def _prepare(self, job: Job, attempt: Attempt) -> Ending | None:
        agent = Agent(self._gate, self._credentials)
        return agent.prepare(job, attempt, enforced=self.settings.enforce_roles)

    def _launcher(self) -> Launcher | None:
        children = self.settings.children
        if children == "instant":
            return None
        if children == "process":
            return local_launcher(self._scratch)
        if children == "docker":
            return docker_launcher(self._scratch)
        return function_launcher(children)

    def _open_log(self, spec: JobSpec, stream: str) -> LogWriter:
        return self._logs.open(spec.region, spec.log_group, stream)

    def _take_machine(self, spec: JobSpec, task_id: str) -> Machine:
        if spec.is_fargate:
            return self._fleet.take_task(task_id, spec.market)
        return self._fleet.take(spec.queue_name, spec.instance_types, spec.market)
