"""Ends a run: its controller first, which would replace what is ended, and then its jobs."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from snakemake_executor_plugin_aws_batch_array.pilots.closing import close_pilots
from tomobatch.aws.runs.observe import Look, Observer, is_alive, is_here
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


def stop_run(
    observer: Observer, look: Look, *, now: bool, wait_s: float, tick: Callable[[], None]
) -> Stopped:
    """End a run.

    Parameters
    ----------
    observer
        The run.
    look
        What was seen of it.
    now
        Whether jobs are ended in the middle of their work, which is lost; otherwise those that run
        finish what they are at, and only what waits is taken back.
    wait_s
        How long to wait for the controller's end, and after that for the jobs'.
    tick
        Called now and then while waiting.
    """
    reason = "tomobatch stop"
    elsewhere = _end_controller(observer, look, reason, wait_s, tick)
    place = observer.place
    look = _listed(observer, tick)
    alive = [each for each in look.submitted if each.is_live]
    # Several lists of pilots have one job.
    live = list(dict.fromkeys(each.detail.job_id for each in alive if each.detail is not None))
    for each in alive:
        if each.commands.is_of_pilots:
            close_pilots(place.store(observer.run), each.commands.name)
    for job_id in live:
        if now:
            place.batch.terminate(job_id, reason)
        else:
            place.batch_calls.cancel_job(jobId=job_id, reason=reason)
    if look.record is not None:
        now_ms = time.time_ns() // 1_000_000
        put_record(place, replace(look.record, controller=None, stopped_ms=now_ms))
    deadline = time.monotonic() + wait_s
    while now and time.monotonic() < deadline:
        if not any(each.is_live for each in observer.look().submitted):
            break
        tick()
        time.sleep(_POLL_S)
    return Stopped(len(live), elsewhere)


def _listed(observer: Observer, tick: Callable[[], None]) -> Look:
    """Look until Batch shows what the controller submitted at last, which would run on unseen."""
    while True:
        look = observer.look()
        if not any(each.is_unlisted for each in look.submitted):
            return look
        tick()
        time.sleep(_POLL_S)


def _end_controller(
    observer: Observer, look: Look, reason: str, wait_s: float, tick: Callable[[], None]
) -> str:
    """End what runs Snakemake; return its machine if it is out of reach."""
    controller = look.controller
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
    while is_alive(controller, look.head) and time.monotonic() < deadline:
        look = observer.look()
        tick()
        time.sleep(_POLL_S)
    return ""
