"""How an emulator behaves (decision 73)."""

import dataclasses
import json
import os
from dataclasses import dataclass
from typing import Self

from aws_batch_emulator.quotas import CODES


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one emulator.

    Parameters
    ----------
    bucket
        The data bucket to create.
    stack
        The prefix of the CloudFormation stacks to create; None creates nothing at all.
    region
        The region of everything.
    port
        The port on the loopback address; 0 takes a free one.
    slots
        How many children of one queue run at once; the others wait in RUNNABLE. At least 2 by
        default, so that a head job and a job it waits for can both run.
    grace_s
        Seconds between SIGTERM and SIGKILL; AWS gives 30.
    timeout_scale
        How many seconds one second of a job's time limit lasts: below 1 in tests, as Batch
        refuses limits under a minute.
    children
        What a child is: `process`, `docker` (a container of the job definition's image),
        `instant` (nothing: it succeeds at once) or `module:function` (a Python function
        `(command, environment) -> exit code`, called inside the server).
    lag_s
        How many seconds ListJobs lags behind SubmitJob and behind what DescribeJobs tells of a job.
    summary_lag_s
        How many seconds the state of an array, and its counts of children, lag behind these.
    log_lag_s
        Seconds after which a line that a child wrote can be read from its log.
    enforce_roles
        Whether a call must be allowed by the policies of its caller, as on AWS.
    tls_address
        A loopback address whose port 443 is served as well, over TLS, for AWS's own names: that
        they lead there is for the caller to arrange. Nobody is told of another end point then.
    tls_certificate
        File with the key and the certificate of those names.
    quotas
        EC2's quotas of vCPUs, by code; the others are large.
    variables
        Variables every child gets, as an image's ENV would give them.
    """

    bucket: str = "tomobatch-data"
    stack: str | None = "tomobatch"
    region: str = "eu-central-1"
    port: int = 0
    slots: int = max(2, os.cpu_count() or 1)
    grace_s: float = 30.0
    timeout_scale: float = 1.0
    children: str = "process"
    lag_s: float = 0.5
    summary_lag_s: float = 0.25
    log_lag_s: float = 0.5
    enforce_roles: bool = True
    tls_address: str | None = None
    tls_certificate: str | None = None
    quotas: dict[str, int] = dataclasses.field(default_factory=dict)
    variables: dict[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what could only fail later."""
        if self.slots < 1:
            raise ValueError(f"slots must be at least 1, got {self.slots}")
        if self.grace_s < 0 or self.timeout_scale <= 0:
            raise ValueError("grace_s must not be negative and timeout_scale must be positive")
        if min(self.lag_s, self.summary_lag_s, self.log_lag_s) < 0:
            raise ValueError("lag_s, summary_lag_s and log_lag_s must not be negative")
        if (self.tls_address is None) != (self.tls_certificate is None):
            raise ValueError("tls_address and tls_certificate are given together")
        if unknown := self.quotas.keys() - set(CODES):
            raise ValueError(f"quotas: {', '.join(unknown)} is none of {', '.join(CODES)}")
        if self.children not in ("process", "docker", "instant") and ":" not in self.children:
            raise ValueError(
                "children must be process, docker, instant or module:function, "
                f"got {self.children!r}"
            )

    def to_json(self) -> str:
        """Return the settings as one line."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote."""
        return cls(**json.loads(text))
