"""One small workflow in a folder of its own, its controllers, and what they leave on S3."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from controller import BUCKET, command

from aws_batch_emulator import Emulator

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

WAIT_S = 240.0
"""For whatever is waited for: long, as accounts are throttled and machines shared."""

Job = dict[str, str]


@dataclass
class Trial:
    """A run of one workflow, interrupted or not.

    Attributes
    ----------
    name
        Run id, and folder on S3; the names of all its jobs begin with it.
    folder
        Where the controllers work.
    python
        Starts a controller.
    end
        Interrupts a controller.
    """

    emulator: Emulator
    name: str
    folder: Path
    python: Path
    end: Callable[[subprocess.Popen[str]], None]
    said: list[str] = field(default_factory=list)

    @property
    def prefix(self) -> str:
        """Where its files are in the bucket."""
        return f"cases/{self.name}"

    def write_workflow(self, snakefile: str) -> None:
        """Write the workflow."""
        (self.folder / "Snakefile").write_text(snakefile, encoding="utf-8")

    def start(self, *options: str) -> subprocess.Popen[str]:
        """Start a controller."""
        return subprocess.Popen(
            command(self.python, self.name, self.prefix, *options),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def finish(self, process: subprocess.Popen[str]) -> list[str]:
        """Wait for the end of a controller; return what is wrong with it."""
        try:
            text, _ = process.communicate(timeout=WAIT_S)
        except subprocess.TimeoutExpired:
            kill(process)
            return [f"no end within {WAIT_S:g} s"]
        self.said.append(text)
        if process.returncode == 0:
            return []
        errors = [line.strip() for line in text.splitlines() if "rror" in line]
        return [f"exit code {process.returncode}: {' / '.join(errors)[-300:]}"]

    def run(self, *options: str) -> list[str]:
        """Run a controller to its end; return what is wrong with it."""
        return self.finish(self.start(*options))

    def wait_for(self, condition: Callable[[], object], what: str) -> None:
        """Wait until something is so."""
        deadline_s = time.monotonic() + WAIT_S
        while not condition():
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"not within {WAIT_S:g} s: {what}")
            time.sleep(0.1)

    def jobs(self, rule: str = "") -> list[Job]:
        """Return its plain jobs and children, by rule."""
        begin = f"{self.name}-{rule}"
        return [job for job in self.emulator.jobs() if job["jobName"].startswith(begin)]

    def wait_until_idle(self) -> None:
        """Wait until none of its jobs runs or may run."""
        self.wait_for(lambda: not any(is_live(job) for job in self.jobs()), "the end of its jobs")

    def write(self, texts: Mapping[str, str]) -> None:
        """Upload files."""
        for name, text in texts.items():
            _s3().put_object(Bucket=BUCKET, Key=f"{self.prefix}/{name}", Body=text.encode())

    def delete(self, name: str) -> None:
        """Delete a file."""
        _s3().delete_object(Bucket=BUCKET, Key=f"{self.prefix}/{name}")

    def outputs(self, below: str) -> dict[str, str]:
        """Return the texts of all files below a folder."""
        client, root = _s3(), f"{self.prefix}/"
        pages = client.get_paginator("list_objects_v2").paginate(
            Bucket=BUCKET, Prefix=f"{root}{below}/"
        )
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return {
            key.removeprefix(root): client.get_object(Bucket=BUCKET, Key=key)["Body"]
            .read()
            .decode()
            for key in keys
        }


def found_or_lacking(trial: Trial, below: str, expected: Mapping[str, str]) -> list[str]:
    """Return what is not as expected of the files below a folder."""
    found = trial.outputs(below)
    wrong = [f"{name} is missing" for name in sorted(expected.keys() - found.keys())]
    wrong += [f"{name} is too much" for name in sorted(found.keys() - expected.keys())]
    return wrong + [
        f"{name} holds {found[name]!r}"
        for name in sorted(expected.keys() & found.keys())
        if found[name] != expected[name]
    ]


def ctrl_c(process: subprocess.Popen[str]) -> None:
    """Interrupt a controller as a user does."""
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=WAIT_S)


def kill(process: subprocess.Popen[str]) -> None:
    """Kill a controller as nothing can prevent."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def is_live(job: Job) -> bool:
    """Whether a job is not over."""
    return job["status"] not in ("SUCCEEDED", "FAILED")


def _s3() -> "S3Client":
    """Return a client that is never turned away for good."""
    return boto3.client("s3", config=Config(retries={"total_max_attempts": 15}))
