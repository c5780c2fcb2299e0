"""The `aws-batch-emulator` command."""

import argparse
import gc
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from aws_batch_emulator.client import Emulator, EmulatorError, start_detached, start_with
from aws_batch_emulator.environment import UNSET
from aws_batch_emulator.faults import Fault, FaultKind
from aws_batch_emulator.settings import Settings

if TYPE_CHECKING:
    from aws_batch_emulator.server import Server
from aws_batch_emulator.options import add_fault_options, endpoint, server_options

_DEFAULTS = Settings()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.function(options)
    except (EmulatorError, ValueError) as error:
        print(f"aws-batch-emulator: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="aws-batch-emulator",
        description="AWS Batch on this machine, with S3, CloudWatch and CloudFormation around it.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serving = server_options()

    serve = commands.add_parser(
        "serve", parents=[serving], help="run an emulator in the foreground"
    )
    serve.add_argument("--settings-from-stdin", action="store_true", help=argparse.SUPPRESS)
    serve.add_argument("--detached", action="store_true", help=argparse.SUPPRESS)
    serve.set_defaults(function=_serve)

    start = commands.add_parser(
        "start", parents=[serving], help="start one in the background, print its settings"
    )
    start.set_defaults(function=_start)

    run = commands.add_parser(
        "run", parents=[serving], help="run a command with an emulator up, then stop it"
    )
    run.add_argument("command", nargs="+", metavar="COMMAND", help="after --")
    run.set_defaults(function=_run)

    for name, text, function in (
        ("stop", "stop it and kill every child", _stop),
        ("calls", "count the AWS calls so far", _calls),
        ("live", "list the jobs that are not over", _live),
    ):
        commands.add_parser(name, help=text, parents=[endpoint()]).set_defaults(function=function)

    fault = commands.add_parser("fault", help="let something go wrong", parents=[endpoint()])
    add_fault_options(fault)
    fault.set_defaults(function=_fault)
    return parser


def _settings(options: argparse.Namespace) -> Settings:
    pairs = [pair.partition("=") for pair in options.env]
    quotas = [pair.partition("=") for pair in options.quota]
    return Settings(
        bucket=options.bucket,
        stack=options.stack,
        region=options.region,
        port=options.port,
        slots=options.slots,
        grace_s=options.grace_s,
        timeout_scale=options.timeout_scale,
        children=options.children,
        enforce_roles=options.enforce_roles,
        lag_s=options.lag_s,
        summary_lag_s=options.summary_lag_s,
        log_lag_s=options.log_lag_s,
        tls_address=options.tls_address,
        tls_certificate=options.tls_certificate,
        quotas={code: int(vcpus) for code, _, vcpus in quotas},
        variables={name: value for name, _, value in pairs},
    )


def _serve(options: argparse.Namespace) -> int:
    owned = options.settings_from_stdin
    settings = Settings.from_json(sys.stdin.readline()) if owned else _settings(options)
    for name in UNSET:
        os.environ.pop(name, None)
    # moto takes seconds to import: only the server does, and only with settings that are right.
    try:
        from aws_batch_emulator.server import Server
    except ModuleNotFoundError as error:
        raise EmulatorError(
            f"{error.name} is not installed: it comes with `pip install aws-batch-emulator`"
        ) from None
    try:
        server = Server(settings)
    except OSError as error:
        raise EmulatorError(f"cannot listen on 127.0.0.1:{settings.port}: {error}") from None
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: server.stop())
    serving = threading.Thread(target=server.serve)
    serving.start()
    emulator = Emulator(server.endpoint_url, settings.region)
    try:
        if settings.stack is not None:
            _create_stacks(emulator, settings.stack, settings.bucket)
        gc.freeze()  # moto's thousands of classes stay: no collection need walk them again
        _print_settings(_of(emulator, options), as_json=owned or options.json)
        if options.detached:
            _let_go_of_the_terminal()
        elif owned:
            threading.Thread(target=_stop_when_stdin_ends, args=(server,), daemon=True).start()
    except BaseException:
        server.stop()
        raise
    finally:
        serving.join()
    sys.stdout.flush()
    os._exit(0)  # nothing is left to do, and taking moto apart would take a second


def _of(emulator: Emulator, options: argparse.Namespace) -> dict[str, str]:
    """Return the variables of the person that the command line names."""
    of = emulator.administrator if options.as_ == "administrator" else emulator.environment
    told = options.tls_address is None
    return {name: value for name, value in of.items() if told or name != "AWS_ENDPOINT_URL"}


def _create_stacks(emulator: Emulator, stack: str, bucket: str) -> None:
    from botocore.exceptions import ClientError

    from aws_batch_emulator.resources import create_stacks

    try:
        outputs = create_stacks(emulator.administrator, stack, bucket)
    except ClientError as error:
        raise EmulatorError(f"cannot create stack {stack} with bucket {bucket}: {error}") from None
    emulator.grant(outputs["UserPolicy"])
    emulator.reset_calls()
    emulator.reset_decisions()


def _stop_when_stdin_ends(server: "Server") -> None:
    """Stop with the process that started this one, however that one ends."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    server.stop()


def _let_go_of_the_terminal() -> None:
    """Close the caller's pipes: who reads them to their end must not wait for this process."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)


def _start(options: argparse.Namespace) -> int:
    emulator = start_detached(_settings(options))
    _print_settings(_of(emulator, options), as_json=options.json)
    return 0


def _run(options: argparse.Namespace) -> int:
    with start_with(_settings(options)) as emulator:
        own = {name: value for name, value in os.environ.items() if name not in UNSET}
        # Ctrl-C reaches the command too: it decides when to end, the emulator ends after it.
        signal.signal(signal.SIGINT, lambda *_: None)
        process = subprocess.Popen(options.command, env={**own, **_of(emulator, options)})
        signal.signal(signal.SIGTERM, lambda number, _: process.send_signal(number))
        code = process.wait()
    return code if code >= 0 else 128 - code


def _stop(options: argparse.Namespace) -> int:
    _running(options).stop()
    return 0


def _calls(options: argparse.Namespace) -> int:
    emulator = _running(options)
    for origin in ("user", "job"):
        for call, count in sorted(emulator.calls(origin).items()):
            print(f"{count:8d}  {origin:4s}  {call}")  # noqa: T201
    return 0


def _live(options: argparse.Namespace) -> int:
    for job in _running(options).live_jobs():
        print(f"{job['jobId']}  {job['status']:9s}  {job['pid'] or '-':>7}  {job['jobName']}")  # noqa: T201
    return 0


def _fault(options: argparse.Namespace) -> int:
    fault = Fault(
        FaultKind(options.kind),
        match=options.match,
        count=options.count or None,
        index=options.index,
        after_s=options.after_s,
        duration_s=options.duration_s,
        rate=options.rate,
        origin=options.origin,
        reason=options.reason,
    )
    _running(options).inject(fault)
    return 0


def _running(options: argparse.Namespace) -> Emulator:
    if not options.endpoint_url:
        raise EmulatorError("which emulator? Set AWS_ENDPOINT_URL or give --endpoint-url")
    return Emulator(options.endpoint_url, _DEFAULTS.region)


def _print_settings(environment: Mapping[str, str], *, as_json: bool) -> None:
    if as_json:
        text = json.dumps(dict(environment))
    else:
        lines = [f"export {name}={value}" for name, value in environment.items()]
        text = "\n".join([*lines, f"unset {' '.join(UNSET)}"])
    print(text, flush=True)  # noqa: T201
