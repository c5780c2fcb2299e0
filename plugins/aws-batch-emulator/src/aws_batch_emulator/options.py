"""The options of the command line, each group made once."""

import argparse
import os

from aws_batch_emulator.faults import FaultKind
from aws_batch_emulator.settings import Settings

_DEFAULTS = Settings()


def server_options() -> argparse.ArgumentParser:
    """Return the options of commands that start a server."""
    parser = argparse.ArgumentParser(add_help=False)
    add = parser.add_argument
    add("--bucket", default=_DEFAULTS.bucket, help="data bucket to create (%(default)s)")
    add("--stack", default=_DEFAULTS.stack, help="prefix of the stacks to create (%(default)s)")
    add("--no-stack", action="store_const", const=None, dest="stack", help="create nothing")
    add("--region", default=_DEFAULTS.region, help="%(default)s")
    add("--port", type=int, default=0, help="port on 127.0.0.1; by default a free one")
    add(
        "--slots",
        type=int,
        default=_DEFAULTS.slots,
        help="children of one queue at once: by default the number of cores, at least 2",
    )
    add(
        "--children",
        default=_DEFAULTS.children,
        help="process, docker, instant (run nothing) or MODULE:FUNCTION (%(default)s)",
    )
    _add_people_options(parser)
    _add_times(parser)
    add(
        "--quota",
        action="append",
        default=[],
        metavar="CODE=VCPUS",
        help="an EC2 quota of vCPUs, by its code",
    )
    add("--tls-address", help="serve AWS's own names there too, and tell nobody AWS_ENDPOINT_URL")
    add("--tls-certificate", help="file with the key and the certificate of those names")
    add("--env", action="append", default=[], metavar="NAME=VALUE", help="set in every child")
    add("--json", action="store_true", help="print the settings as JSON, not as shell code")
    return parser


def _add_times(parser: argparse.ArgumentParser) -> None:
    times = {
        "--grace-s": (_DEFAULTS.grace_s, "between SIGTERM and SIGKILL"),
        "--timeout-scale": (
            _DEFAULTS.timeout_scale,
            "that one second of a job's time limit lasts",
        ),
        "--lag-s": (_DEFAULTS.lag_s, "that ListJobs lags behind"),
        "--summary-lag-s": (_DEFAULTS.summary_lag_s, "that an array lags behind its children"),
        "--log-lag-s": (_DEFAULTS.log_lag_s, "until a line can be read from a log"),
    }
    for name, (default, what) in times.items():
        parser.add_argument(name, type=float, default=default, help=f"seconds {what} (%(default)s)")


def _add_people_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--as",
        choices=["user", "administrator"],
        default="user",
        dest="as_",
        help="whose keys are given (%(default)s): a user may do what was granted",
    )
    add(
        "--no-roles",
        action="store_false",
        dest="enforce_roles",
        help="let everyone do everything, as AWS does not",
    )


def endpoint() -> argparse.ArgumentParser:
    """Return the option of commands that ask a running server."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--endpoint-url",
        default=os.environ.get("AWS_ENDPOINT_URL"),
        help="the emulator's address (AWS_ENDPOINT_URL)",
    )
    return parser


def add_fault_options(parser: argparse.ArgumentParser) -> None:
    """Add what a fault is told by."""
    add = parser.add_argument
    add("kind", choices=[kind.value for kind in FaultKind])
    add("--match", default="*", help="glob on the job name, or on service:Action for calls")
    add("--count", type=int, default=1, help="how many times; 0: no limit")
    add("--index", type=int, help="only this child of an array")
    add("--after-s", type=float, default=0.0, help="seconds into the attempt, or from now")
    add("--duration-s", type=float, help="slow-start: how long; others: until when")
    add("--rate", type=float, default=1.0, help="share of the matching calls")
    add("--reason", help="slow-start: what Batch says of it, by default a MISCONFIGURATION")
    add("--origin", choices=["user", "job"], help="only calls made by these")
