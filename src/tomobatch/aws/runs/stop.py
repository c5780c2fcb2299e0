"""Ends a run: its controller first, which would replace what is ended, and then its jobs."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from tomobatch.aws.runs.observe import Observer, is_alive, is_here
from tomobatch.aws.runs.record import put_record

_POLL_S = 0.5


@dataclass(frozen=True)
class Stopped:
    """What stopping did.

    Attributes
    ----------
    n_jobs
        Jobs of Batch, arrays counted once, that were told to end.
    controller_elsewhere
        The machine whose process controls the run and could not be reached; empty if none.
    """

    n_jobs: int
    controller_elsewhere: str = ""


def stop_run(observer: Observer, *, now: bool, wait_s: float, tick: Callable[[], None]) -> Stopped:
    """End a run that was just looked at.

    Parameters
    ----------
    observer
        The run.
    now
        Whether jobs are ended in the middle of their work, which is lost; otherwise those that run
        finish what they are at, and only what waits is taken back.
    wait_s
        How long to wait for the controller's end, and after that for the jobs'.
    tick
        Called now and then while waiting.
    """
    reason = "tomobatch stop"
    elsewhere = _end_controller(observer, reason, wait_s, tick)
    place = observer.place
    live = [each for each in observer.submitted if each.is_live]
    for each in live:
        job_id = observer.job_id(each)
        if job_id is None:
            continue
        if now:
            place.batch.terminate(job_id, reason)
        else:
            place.batch_calls.cancel_job(jobId=job_id, reason=reason)
    if observer.record is not None:
        now_ms = time.time_ns() // 1_000_000
        put_record(place, replace(observer.record, controller=None, stopped_ms=now_ms))
    deadline = time.monotonic() + wait_s
    while now and time.monotonic() < deadline:
        observer.look()
        if not any(each.is_live for each in observer.submitted):
            break
        tick()
        time.sleep(_POLL_S)
    return Stopped(len(live), elsewhere)


def _end_controller(
    observer: Observer, reason: str, wait_s: float, tick: Callable[[], None]
) -> str:
    """End what runs Snakemake; return its machine if it is out of reach."""
    controller = observer.record.controller if observer.record is not None else None
    if controller is None:
        return ""
    if controller.is_job:
        observer.place.batch.terminate(controller.job_id, reason)
    elif not is_here(controller):
        return controller.host
    elif is_alive(controller, None):
        # Snakemake then starts nothing more, and does not wait for what we end.
        os.kill(controller.pid, signal.SIGTERM)
        return ""
    deadline = time.monotonic() + wait_s
    while is_alive(controller, observer.head) and time.monotonic() < deadline:
        observer.look()
        tick()
        time.sleep(_POLL_S)
    return ""
