"""A Snakemake logger that tells one line a step, every warning as it comes, and what failed.

``logger: steps`` of a profile chooses it; ``--verbose`` brings back all that Snakemake says, which
is in the log file of the run either way. The jobs themselves are told, by ``TOMOBATCH_JOBS_SAY``,
to leave the terminal alone: what they warn of is read from their logs.

Decision 101.
"""

import logging
import os
import re
import sys
from pathlib import Path
from typing import Any

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_steps.display import make_display
from snakemake_logger_plugin_steps.failures import Failures
from snakemake_logger_plugin_steps.wall import make_wall

JOBS_SAY = "TOMOBATCH_JOBS_SAY"
"""Set to ``nothing``, a job's script writes to its log alone."""

_ALWAYS_TOLD = ("Nothing to be done", "Unlocked", "Congratulations", "Will exit after", "Would")
_SNAKEMAKES_OWN = f"{os.sep}snakemake{os.sep}"
_UNTOLD_ERRORS = ("Exiting because a job execution failed", "At least one job did not complete")
_OF_A_JOB = ("CalledProcessError in file", "returned non-zero exit status")
"""What Snakemake adds to a failed job, of which its log has told."""

_REFUSED = re.compile(
    r'WorkflowError in file "[^"]*", line \d+:\n(?P<why>.*?)'
    r'(\n {2}File "[^"]*", line \d+, in [^\n]+)*',
    re.DOTALL,
)
"""What a workflow refuses: the user is told why, and the log file where in the rules."""

_ROUTINE_REASONS = ("Missing output files", "Input files updated by another job")
_WARNING = "warning: "


class LogHandler(LogHandlerBase):
    """Counts the finished jobs of every rule; warnings and errors are passed on as they are."""

    def __post_init__(self) -> None:
        settings = self.common_settings
        self._stream = sys.stdout if settings.stdout else sys.stderr
        self._wall = make_wall(settings, self._stream) if settings.verbose else None
        if self._wall is None:
            os.environ.setdefault(JOBS_SAY, "nothing")
        self._display = make_display(self._stream)
        self._failures = Failures(self._display.say)
        self._jobs: dict[int, tuple[str, dict[str, str], list[str]]] = {}
        self._counts: dict[str, int] = {}
        self._reasons: dict[str, str] = {}
        self._last_warning = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Tell a record; never raises, which would end Snakemake's logging thread for good."""
        try:
            if self._wall is not None:
                self._wall.handle(record)
            else:
                self._tell(record)
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """End the display with the last state of every step."""
        if self._wall is None:
            self._failures.close()
            self._display.close()
        super().close()

    def _tell(self, record: logging.LogRecord) -> None:
        event = getattr(record, "event", None)
        if event == LogEvent.RUN_INFO:
            self._run_info(record)
        elif event == LogEvent.JOB_INFO:
            self._job_info(record)
        elif event == LogEvent.JOB_FINISHED:
            self._finished(int(_of(record, "job_id")))
        elif event in (LogEvent.JOB_ERROR, LogEvent.GROUP_ERROR):
            self._failed(record)
        elif event in (None, LogEvent.ERROR):
            self._message(record)

    def _run_info(self, record: logging.LogRecord) -> None:
        counts = {str(rule): int(count) for rule, count in _of(record, "stats").items()}
        if not self.common_settings.dryrun:
            self._display.start(counts)
        elif self._counts:
            self._display.say(record.getMessage().rstrip())
            for rule, reason in self._reasons.items():
                self._display.say(f"{rule}: {reason}")
            self._display.say("A dry run: nothing was done.")
        self._counts = counts

    def _job_info(self, record: logging.LogRecord) -> None:
        rule = str(_of(record, "rule_name"))
        logs = [str(log).partition(" (")[0] for log in _of(record, "log")]
        self._jobs[int(_of(record, "jobid"))] = (rule, dict(_of(record, "wildcards")), logs)
        reason = str(_of(record, "reason")).partition(":")[0]
        if reason and not reason.startswith(_ROUTINE_REASONS):
            self._reasons.setdefault(rule, reason)
        if not self.common_settings.dryrun:
            self._display.begun(rule)

    def _finished(self, job_id: int) -> None:
        if job_id not in self._jobs:
            return
        rule, wildcards, logs = self._jobs[job_id]
        for log in logs:
            for line in _lines(log):
                if line.startswith(_WARNING):
                    scan = f"{wildcards['scan']}: " if "scan" in wildcards else ""
                    self._display.say(f"{_WARNING}{scan}{line.removeprefix(_WARNING)}")
        self._display.done(rule)

    def _failed(self, record: logging.LogRecord) -> None:
        rule, wildcards, logs = self._jobs.get(
            getattr(record, "jobid", -1), (getattr(record, "rule_name", "a group of jobs"), {}, [])
        )
        logs = [str(log) for log in getattr(record, "log", None) or logs]
        told = str(getattr(record, "rule_msg", None) or "").splitlines()
        self._failures.add(rule, wildcards, {log: _lines(log) for log in logs}, told)

    def _message(self, record: logging.LogRecord) -> None:
        text = record.getMessage().strip()
        if text in ("", "None") or text.startswith(_UNTOLD_ERRORS):
            return
        if all(words in text for words in _OF_A_JOB):
            return
        if record.levelno < logging.WARNING and _is_chatter(record, text):
            if text.startswith("Complete log"):
                self._failures.complete_log = text.partition(": ")[2]
            return
        if record.levelno >= logging.WARNING:
            # A provider of storage repeats itself for every file.
            if text == self._last_warning:
                return
            self._last_warning = text
        refused = _REFUSED.fullmatch(text)
        self._display.say(text if refused is None else f"error: {refused['why']}")

    @property
    def writes_to_stream(self) -> bool:
        """It takes the place of Snakemake's own handler of the terminal."""
        return True

    @property
    def writes_to_file(self) -> bool:
        """Snakemake's own file has everything."""
        return False

    @property
    def has_filter(self) -> bool:
        """It chooses by itself what to tell."""
        return True

    @property
    def has_formatter(self) -> bool:
        """It words by itself what it tells."""
        return True

    @property
    def needs_rulegraph(self) -> bool:
        """The order of the steps comes with their counts."""
        return False


def _is_chatter(record: logging.LogRecord, text: str) -> bool:
    """Tell whether Snakemake talks of itself; what a plugin says is for the user."""
    return _SNAKEMAKES_OWN in record.pathname and not text.startswith(_ALWAYS_TOLD)


def _lines(log: str) -> list[str]:
    """Return the lines of a job's log; none where it lies elsewhere."""
    try:
        return Path(log).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _of(record: logging.LogRecord, name: str) -> Any:  # noqa: ANN401 - Snakemake's extras
    return getattr(record, name)
