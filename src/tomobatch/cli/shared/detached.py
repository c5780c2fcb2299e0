"""Starts the controller of a run as a job, and takes it back where Ctrl-C comes meanwhile."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from snakemake_executor_plugin_aws_batch_array.store import S3Path
    from tomobatch.aws.runs.place import Place
    from tomobatch.aws.runs.record import RunRecord

_WAIT_S = 60.0


def start_detached(
    place: "Place", record: "RunRecord", sources: "S3Path", checksum: str, arguments: Sequence[str]
) -> None:
    """Submit the controller of a run and say how to follow it.

    Ctrl-C before that is said ends what was submitted, or says what may run on.
    """
    from tomobatch.aws.runs.launch import submit_head

    submitted: list[RunRecord] = []

    def submit() -> None:
        submitted.append(submit_head(place, record, sources, checksum, arguments))

    # Ctrl-C reaches the main thread alone, and so never comes between a job and its record.
    pool = ThreadPoolExecutor(max_workers=1)
    try:
        pool.submit(submit).result()
        controller = submitted[0].controller
        assert controller is not None  # noqa: S101 - for mypy: submit_head sets it
        typer.echo(
            f"Run {record.name} is controlled by Batch job {controller.job_id}. Follow it "
            f"with `tomobatch status {record.name} --watch` or `tomobatch attach {record.name}`"
        )
    except KeyboardInterrupt:
        _take_back(place, record.name, pool, submitted)
        raise
    finally:
        pool.shutdown()


def _take_back(
    place: "Place", run: str, pool: ThreadPoolExecutor, submitted: "Sequence[RunRecord]"
) -> None:
    """End a run whose controller may have been submitted, with all that it may have submitted."""
    from tomobatch.aws.runs.observe import Observer
    from tomobatch.aws.runs.stop import stop_run

    typer.echo(f"Interrupted: run {run} is ended again ...", err=True)
    try:
        pool.shutdown()
        if submitted:
            observer = Observer(place, run)
            stop_run(observer, observer.look(), now=True, wait_s=_WAIT_S, tick=lambda: None)
    except BaseException as error:
        typer.echo(
            f"warning: run {run} may run on ({error!r}): end it with `tomobatch stop {run} --now`",
            err=True,
        )
        raise
    typer.echo(f"Nothing of run {run} runs; go on with `tomobatch resume {run}`", err=True)
