"""A smoke test for a real account: set up, run something small, and leave nothing behind.

``make smoke-aws`` asks first. Everything is made under a prefix of its own, so that a deployment
in the same account is not touched, and is removed again whatever happens. What was done, and what
AWS said, is kept in a transcript to attach to a report; it holds neither credentials nor the number
of the account.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import zarr
from tests.smoke.leftovers import leftovers

from snakemake_executor_plugin_aws_batch_array.aws import make_client
from snakemake_executor_plugin_aws_batch_array.region import find_region
from tomobatch.aws.account.quotas import LEAST_VCPUS, read_quota

QUESTION = """\
This makes the stacks {prefix}-* in {region} of account {account}, pushes the image, reconstructs a
small phantom {where}, and removes everything again: about 30 minutes and about $0.10,
at most $0.20 (at most 8 vCPUs of CPU and 4 of GPU spot machines, ended after {limit} minutes).
Go on? [y/N] """
SETTINGS = ("CpuMaxVcpus=8", "GpuMaxVcpus=4", "OnDemand=DISABLED", "MonthlyBudgetUsd=1")
LIMIT_MIN = 40
MOST_DIFFERENT = 1e-3
"""Of a volume's standard deviation: what devices may differ by, whose sums have other orders."""


class SmokeFailure(Exception):
    """Something is not as it should be."""


class Transcript:
    """Runs commands of tomobatch, and writes down what they said."""

    def __init__(self, file: Path, folder: Path, environment: dict[str, str], hidden: str) -> None:
        self._file = file
        self._folder = folder
        self._environment = environment
        self._hidden = hidden
        file.write_text("", encoding="utf-8")

    def say(self, text: str) -> None:
        """Show and keep a line."""
        text = text.replace(self._hidden, "ACCOUNT")
        print(text, flush=True)
        with self._file.open("a", encoding="utf-8") as file:
            print(text, file=file)

    def tomobatch(self, *words: str, limit_s: float = 1800.0) -> str:
        """Run a command and return what it printed.

        Raises
        ------
        SmokeFailure
            If it fails, or takes longer than it may.
        """
        self.say(f"$ tomobatch {' '.join(words)}")
        start = time.monotonic()
        try:
            done = subprocess.run(
                [sys.executable, "-c", "from tomobatch.cli import main; main()", *words],
                cwd=self._folder,
                env=self._environment,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=limit_s,
            )
        except subprocess.TimeoutExpired as error:
            raise SmokeFailure(f"tomobatch {words[0]} took over {limit_s / 60:.0f} min") from error
        self.say(done.stdout.rstrip())
        self.say(f"# exit code {done.returncode} after {time.monotonic() - start:.0f} s")
        if done.returncode:
            raise SmokeFailure(f"tomobatch {words[0]} failed")
        return done.stdout


def main(arguments: list[str] | None = None) -> int:
    """Do it all, and return 0 if everything was as it should be."""
    options = _parser().parse_args(arguments)
    region = find_region(options.region)
    account = make_client("sts", region).get_caller_identity()["Account"]
    prefix = options.prefix or f"smoke-{time.strftime('%m%d-%H%M%S')}"
    has_gpu = _has_gpu(region)
    where = "on CPU and GPU machines" if has_gpu else "on CPU machines (no quota for GPU ones)"
    question = QUESTION.format(
        prefix=prefix, region=region, account=account, where=where, limit=LIMIT_MIN
    )
    if not options.yes and input(question).strip().lower() not in ("y", "yes"):
        print("nothing was done")
        return 1
    file = options.transcript or Path(f"{prefix}.txt")
    with tempfile.TemporaryDirectory(prefix="tomobatch-smoke-") as folder:
        environment = {**os.environ, "TOMOBATCH_STACK": prefix, "AWS_REGION": region}
        # The user's own profile of the name aws stays as it is.
        environment |= {"XDG_CONFIG_HOME": f"{folder}/config", "COLUMNS": "120"}
        environment.pop("TOMOBATCH_BUCKET", None)
        transcript = Transcript(file, Path(folder), environment, account)
        transcript.say(f"# smoke test {prefix} in {region}, {where}")
        problems = _carry_out(transcript, Path(folder), prefix, region, options, has_gpu)
    for problem in problems:
        transcript.say(f"PROBLEM: {problem}")
    transcript.say("# all is well" if not problems else f"# {len(problems)} problems")
    print(f"transcript: {file}")
    return 1 if problems else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--region", help="AWS Region; by default that of your AWS configuration")
    parser.add_argument("--prefix", help="of all names; by default one with the time of the day")
    parser.add_argument("--image", help="an image that is built already; by default it is built")
    parser.add_argument(
        "--no-image", action="store_true", help="push none, for an emulator that runs processes"
    )
    parser.add_argument("--size", type=int, default=96, help="of the phantom, in pixels")
    parser.add_argument("--transcript", type=Path, help="file for it; by default PREFIX.txt")
    return parser


def _has_gpu(region: str) -> bool:
    """Tell whether the account may start a GPU machine; one that can't be asked for may not."""
    try:
        vcpus = read_quota(lambda service: make_client(service, region), "GPU spot")
    except Exception:
        return False
    return vcpus >= LEAST_VCPUS


def _carry_out(
    transcript: Transcript,
    folder: Path,
    prefix: str,
    region: str,
    options: argparse.Namespace,
    has_gpu: bool,
) -> list[str]:
    """Set up, run, and remove everything; return what went wrong."""
    problems = []
    try:
        settings = [word for setting in SETTINGS for word in ("--set", setting)]
        transcript.tomobatch("setup", "--yes", *settings)
        if not options.no_image:
            built = ["--image", options.image] if options.image else []
            transcript.tomobatch("push", *built)
        _run(transcript, folder, options.size, has_gpu)
    except SmokeFailure as failure:
        problems.append(str(failure))
    try:
        transcript.tomobatch("teardown", "--yes", "--delete-data")
        problems += [
            f"left behind: {each}"
            for each in leftovers(lambda service: make_client(service, region), prefix)
        ]
    except SmokeFailure as failure:
        problems.append(f"{failure}: repeat tomobatch teardown --prefix {prefix} --delete-data")
    return problems


def _run(transcript: Transcript, folder: Path, size: int, has_gpu: bool) -> None:
    """Reconstruct a phantom there and here, and hold the two against each other."""
    transcript.tomobatch("phantom", "scans/smoke.h5", "--size", str(size))
    transcript.tomobatch("init", ".", "scans/smoke.h5")
    queue = () if has_gpu else ("--queue", "cpu")
    transcript.tomobatch("estimate", "smoke", *queue)
    transcript.tomobatch("run", "smoke", "--detach", "--yes", *queue)
    transcript.tomobatch("status", "smoke", "--watch", "--every", "10", limit_s=60 * LIMIT_MIN)
    transcript.tomobatch("status", "smoke")
    transcript.tomobatch("cost", "smoke")
    transcript.tomobatch("fetch", "smoke")
    transcript.tomobatch("run", "smoke", "--local")
    there, here = (
        zarr.open_array(folder / results / "volume.ome.zarr" / "0", mode="r")[:]
        for results in ("results-aws/smoke/smoke", "results/smoke")
    )
    differs = float(np.abs(there - here).max() / here.std())
    transcript.say(f"# the volume differs from this machine's by {differs:.1e} of its deviation")
    if not differs < MOST_DIFFERENT:
        raise SmokeFailure("the volume is not that of this machine")


if __name__ == "__main__":
    sys.exit(main())
