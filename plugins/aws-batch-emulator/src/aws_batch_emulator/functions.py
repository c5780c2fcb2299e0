"""Children as calls of a Python function inside the server: the cheapest that still do work."""

import importlib
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aws_batch_emulator.processes import Launcher, LogWriter, Process

ChildFunction = Callable[[list[str], dict[str, str]], int]
"""Takes a child's command and environment, returns its exit code."""


class FunctionCall:
    """One call, made by the thread that waits for it; it cannot be ended from outside."""

    pid = None

    def __init__(
        self,
        function: ChildFunction,
        command: Sequence[str],
        environment: Mapping[str, str],
        write_log: LogWriter,
    ) -> None:
        self._function = function
        self._command = list(command)
        self._environment = dict(environment)
        self._write_log = write_log

    def wait(self) -> int:
        """Call the function; an exception is exit code 1 and its traceback the log."""
        try:
            return self._function(self._command, self._environment)
        except Exception:
            self._write_log(traceback.format_exc().splitlines())
            return 1

    def terminate(self) -> None:
        """Do nothing: the call ends by itself."""

    def kill(self) -> None:
        """Do nothing: the call ends by itself."""

    def freeze(self) -> None:
        """Do nothing: the call ends by itself."""


def function_launcher(name: str) -> Launcher:
    """Return a launcher that calls `module:function`, found as Python finds modules from here."""
    module_name, _, function_name = name.partition(":")
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        function: ChildFunction = getattr(importlib.import_module(module_name), function_name)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"children {name!r}: {error}") from None

    def launch(
        command: Sequence[str],
        environment: Mapping[str, str],
        container: Mapping[str, Any],
        write_log: LogWriter,
    ) -> Process:
        return FunctionCall(function, command, environment, write_log)

    return launch
