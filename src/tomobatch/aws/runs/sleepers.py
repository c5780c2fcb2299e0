"""Jobs of a deployment that only sleep, by which it is measured (``measure``)."""

import getpass
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from snakemake_executor_plugin_aws_batch_array.fargate import least_pair
from snakemake_executor_plugin_aws_batch_array.identity import tag_value
from snakemake_executor_plugin_aws_batch_array.logs import log_tail
from snakemake_executor_plugin_aws_batch_array.status import Status
from snakemake_executor_plugin_aws_batch_array.submission import Submission
from snakemake_executor_plugin_aws_batch_array.worker.host import Host
from tomobatch.aws.runs.measure import Kind, Start
from tomobatch.aws.runs.place import Place
from tomobatch.errors import UserError

if TYPE_CHECKING:
    from mypy_boto3_batch.type_defs import JobDetailTypeDef

_VCPUS, _MEMORY_MIB = 4, 6000
"""One of them fills the smallest machine of a stack."""

_POLL_S, _PATIENCE_S = 2.0, 1800.0
"""Reasons for which jobs wait come and go while machines start."""


@dataclass
class Sleepers:
    """Runs jobs that sleep on a deployment.

    Attributes
    ----------
    place
        The deployment.
    name
        How the jobs are named, followed by a number.
    sleep
        Called with the seconds between two looks at jobs, and for longer pauses.
    """

    place: Place
    name: str
    sleep: Callable[[float], object] = time.sleep
    _job_ids: list[str] = field(default_factory=list)

    def run(self, queue: Kind, n_children: int, sleep_s: float) -> list[Start]:
        """Run children that sleep, and return all of them when they have ended.

        Raises
        ------
        UserError
            If one fails, or is not done within half an hour.
        """
        job_id = self.place.batch.submit(self._submission(queue, n_children, sleep_s))
        self._job_ids.append(job_id)
        ids = [job_id] if n_children == 1 else [f"{job_id}:{i}" for i in range(n_children)]
        waited_s = 0.0
        while True:
            jobs = self.place.batch_calls.describe_jobs(jobs=ids)["jobs"]
            if len(jobs) == n_children and all(Status(job["status"]).is_final for job in jobs):
                return [self._start(job) for job in jobs]
            if waited_s >= _PATIENCE_S:
                reasons = [job.get("statusReason", "") for job in jobs]
                why = next(filter(None, reasons), "AWS Batch gives no reason")
                raise UserError(
                    f"the jobs of {self.name} have waited for half an hour on the queue {queue}: "
                    f"{why}"
                )
            self.sleep(_POLL_S)
            waited_s += _POLL_S

    def wait(self, seconds: float) -> None:
        """Let time go by."""
        self.sleep(seconds)

    def end(self) -> None:
        """End what may still run."""
        for job_id in self._job_ids:
            self.place.batch.terminate(job_id, "the measurement is over")

    def _submission(self, queue: Kind, n_children: int, sleep_s: float) -> Submission:
        vcpus, memory_mib = _VCPUS, _MEMORY_MIB
        if queue == "fargate":
            vcpus, memory_mib = least_pair(vcpus, memory_mib)
        output = queue.capitalize()
        return Submission(
            name=f"{self.name}-{len(self._job_ids)}",
            queue=self.place.output(f"{output}JobQueue"),
            definition=self.place.output(f"{output}JobDefinition"),
            n_children=n_children,
            command=("python", "-m", "tomobatch.aws.runs.probe", str(sleep_s)),
            environment={},
            vcpus=vcpus,
            memory_mib=memory_mib,
            gpus=1 if queue == "gpu" else 0,
            timeout_s=600,
            attempts=1,
            tags={"snakemake-run": self.name, "snakemake-user": tag_value(getpass.getuser())},
            share=self.place.share,
        )

    def _start(self, job: "JobDetailTypeDef") -> Start:
        if job["status"] != Status.SUCCEEDED:
            raise UserError(
                f"job {job['jobName']} failed: {job.get('statusReason', 'no reason is given')}"
            )
        group = self.place.output("LogGroup")
        told = log_tail(self.place.logs, group, job["container"]["logStreamName"], sleep=self.sleep)
        try:
            host = Host(**json.loads(told.splitlines()[0]))
        except (ValueError, TypeError, IndexError):
            raise UserError(f"job {job['jobName']} did not say where it ran: {told}") from None
        if not host.instance_id:
            raise UserError(
                f"job {job['jobName']} could not find out its machine: nothing can be measured"
            )
        return Start(
            machine=host.instance_id,
            launched_s=host.launched_ms / 1000 or None,
            submitted_s=job["createdAt"] / 1000,
            started_s=job["startedAt"] / 1000,
            stopped_s=job["stoppedAt"] / 1000,
        )
