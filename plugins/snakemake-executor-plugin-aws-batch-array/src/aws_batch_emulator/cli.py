"""The `aws-batch-emulator` command."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from aws_batch_emulator import client
from aws_batch_emulator.environment import UNSET, user_environment

if TYPE_CHECKING:
    from aws_batch_emulator.server import Server


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.function(options)
    except client.EmulatorError as error:
        print(f"aws-batch-emulator: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="aws-batch-emulator", description="AWS Batch, S3 and CloudWatch on this machine."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="run the emulator in the foreground")
    _add_server_options(serve)
    serve.add_argument("--until-stdin-ends", action="store_true", help=argparse.SUPPRESS)
    serve.set_defaults(function=_serve)
    run = commands.add_parser("run", help="run one command with an emulator up")
    _add_server_options(run)
    run.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND ...")
    run.set_defaults(function=_run)
    return parser


def _add_server_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--bucket", default="tomobatch-data", help="data bucket to create")
    add("--stack", default="tomobatch", help="prefix of the stacks to create")
    add("--no-stack", action="store_const", const=None, dest="stack", help="create nothing")
    add("--region", default="eu-central-1")
    add("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    add(
        "--slots",
        type=int,
        default=max(2, os.cpu_count() or 1),
        help="children of one queue at once (default: the number of cores, at least 2)",
    )
    add("--grace-s", type=float, default=30.0, help="seconds between SIGTERM and SIGKILL")
    add(
        "--children",
        default="process",
        help="process, docker, instant (run nothing), or MODULE:FUNCTION called in the server",
    )
    add("--env", action="append", default=[], metavar="NAME=VALUE", help="for every child")
    add("--json", action="store_true", help="print the settings as JSON")


def _serve(options: argparse.Namespace) -> int:
    # moto takes seconds to import: only the server does.
    from aws_batch_emulator.resources import create_stacks
    from aws_batch_emulator.server import Server, ServerSettings

    variables = tuple((name, value) for name, _, value in (v.partition("=") for v in options.env))
    server = Server(
        ServerSettings(
            region=options.region,
            port=options.port,
            slots=options.slots,
            grace_s=options.grace_s,
            children=options.children,
            variables=variables,
        )
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: server.stop())
    serving = threading.Thread(target=server.serve)
    serving.start()
    environment = user_environment(server.endpoint_url, options.region)
    try:
        if options.stack is not None:
            create_stacks(environment, options.stack, options.bucket)
            server.calls.reset()
        print(_settings_text(environment, as_json=options.json), flush=True)  # noqa: T201
        if options.until_stdin_ends:
            threading.Thread(target=_stop_when_stdin_ends, args=(server,), daemon=True).start()
    except BaseException:
        server.stop()
        raise
    finally:
        serving.join()
    return 0


def _stop_when_stdin_ends(server: Server) -> None:
    """Stop with the process that started this one, however that one ends."""
    sys.stdin.buffer.read()
    server.stop()


def _run(options: argparse.Namespace) -> int:
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        raise client.EmulatorError("no command given; write it after --")
    with client.start(
        bucket=options.bucket,
        stack=options.stack,
        region=options.region,
        port=options.port,
        slots=options.slots,
        grace_s=options.grace_s,
        children=options.children,
        variables=dict(v.split("=", 1) for v in options.env),
    ) as emulator:
        own = {name: value for name, value in os.environ.items() if name not in UNSET}
        # Ctrl-C reaches the command too: it decides when to end, the emulator ends after it.
        signal.signal(signal.SIGINT, lambda *_: None)
        process = subprocess.Popen(command, env={**own, **emulator.environment})
        signal.signal(signal.SIGTERM, lambda number, _: process.send_signal(number))
        return process.wait()


def _settings_text(environment: Mapping[str, str], *, as_json: bool) -> str:
    if as_json:
        return json.dumps(dict(environment))
    lines = [f"export {name}={value}" for name, value in environment.items()]
    return "\n".join([*lines, f"unset {' '.join(UNSET)}"])
