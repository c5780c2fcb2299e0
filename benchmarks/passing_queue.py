"""A queue beside those of the stacks, which goes again."""

import json
from collections.abc import Iterable

import boto3
from botocore.config import Config

from aws_batch_emulator import Emulator


class PassingQueue:
    """A queue that the account's administrator makes and deletes, and that a user may use."""

    def __init__(self, emulator: Emulator, name: str) -> None:
        self.name = name
        keys = {
            key.lower(): value
            for key, value in emulator.administrator.items()
            if key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        }
        patient = Config(retries={"total_max_attempts": 15})
        self._batch = boto3.client("batch", config=patient, **keys)
        (known,) = self._batch.describe_job_queues(jobQueues=["tomobatch-cpu"])["jobQueues"]
        self._arn = self._batch.create_job_queue(
            jobQueueName=name,
            priority=1,
            state="ENABLED",
            computeEnvironmentOrder=known["computeEnvironmentOrder"],
        )["jobQueueArn"]
        # The stack's policy for users names the stack's own queues only.
        submits = {"Effect": "Allow", "Action": "batch:SubmitJob", "Resource": self._arn}
        document = {"Version": "2012-10-17", "Statement": [submits]}
        boto3.client("iam", **keys).create_policy(
            PolicyName=name, PolicyDocument=json.dumps(document)
        )
        emulator.grant(name)

    def end_jobs(self, job_ids: Iterable[str]) -> None:
        """End jobs as the administrator."""
        for job_id in job_ids:
            self._batch.terminate_job(jobId=job_id, reason="the queue goes")

    def delete(self) -> None:
        """Delete the queue."""
        self._batch.update_job_queue(jobQueue=self._arn, state="DISABLED")
        self._batch.delete_job_queue(jobQueue=self._arn)
