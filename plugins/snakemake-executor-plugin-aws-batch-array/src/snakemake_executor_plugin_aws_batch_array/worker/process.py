"""Runs functions in forked processes, one at a time, with a time limit and a clean stop.

The worker imports Snakemake once; a fork then starts each command at the cost of no import, and
nothing a command leaves behind in its process reaches the next one.

Decision 61.
"""

import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

STOP_GRACE_S = 20
"""From SIGTERM to SIGKILL of a command: Batch gives the container 30 s in all."""


@dataclass(frozen=True)
class Ended:
    """How a process ended.

    Attributes
    ----------
    exit_code
        ``128 + signal`` if a signal ended it.
    timed_out
        Whether it was ended for its time limit.
    peak_memory_mib
        Largest resident size of the process or of one of its descendants.
    """

    exit_code: int
    timed_out: bool
    peak_memory_mib: int


class ProcessRunner:
    """Runs one process at a time; SIGTERM to the worker stops it and all its descendants.

    Attributes
    ----------
    stopping
        Whether SIGTERM has come: nothing more is to be started.
    """

    def __init__(self) -> None:
        self.stopping = False
        self._pid = 0
        self._timed_out = False
        signal.signal(signal.SIGTERM, self._on_stop)
        signal.signal(signal.SIGINT, self._on_stop)
        signal.signal(signal.SIGALRM, self._on_alarm)

    def run(self, function: Callable[[], int], timeout_s: float | None = None) -> Ended:
        """Run a function in a process group of its own and wait for it.

        Parameters
        ----------
        function
            Returns the exit code.
        timeout_s
            Time limit; None if there is none.
        """
        self._timed_out = False
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            _run_and_exit(function)
        with contextlib.suppress(OSError):
            # Also done by the child: whoever comes first.
            os.setpgid(pid, pid)
        self._pid = pid
        if self.stopping:
            self._on_stop(signal.SIGTERM, None)
        elif timeout_s is not None:
            signal.setitimer(signal.ITIMER_REAL, timeout_s)
        _, status, usage = os.wait4(pid, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._signal_group(signal.SIGKILL)
        self._pid = 0
        exit_code = os.waitstatus_to_exitcode(status)
        return Ended(
            exit_code=exit_code if exit_code >= 0 else 128 - exit_code,
            timed_out=self._timed_out,
            peak_memory_mib=usage.ru_maxrss // 1024,
        )

    def _on_stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True
        self._end_gently()

    def _on_alarm(self, _number: int, _frame: FrameType | None) -> None:
        if self.stopping or self._timed_out:
            self._signal_group(signal.SIGKILL)
        else:
            self._timed_out = True
            self._end_gently()

    def _end_gently(self) -> None:
        if self._pid != 0:
            self._signal_group(signal.SIGTERM)
            signal.setitimer(signal.ITIMER_REAL, STOP_GRACE_S)

    def _signal_group(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._pid, number)


def _run_and_exit(function: Callable[[], int]) -> None:
    exit_code = 1
    try:
        with contextlib.suppress(OSError):
            os.setpgid(0, 0)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
            signal.signal(number, signal.SIG_DFL)
        exit_code = function()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        # No clean-up of the worker's own objects, which this process only borrowed.
        os._exit(exit_code)
