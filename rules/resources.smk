"""What a job is given: memory and expected seconds by the size of its chunk, GPUs as configured."""

import functools

from tomobatch import job_memory


def job_mb(of_plan):
    """Return what gives a job its memory, and half as much again for each further attempt."""

    def of_scan(wildcards, attempt):
        return round(of_plan(plan(wildcards.scan)) * (1 + attempt) / 2)

    return of_scan


references_job_mb = job_mb(job_memory.of_references)
projections_job_mb = job_mb(job_memory.of_projections)
stripes_job_mb = job_mb(job_memory.of_stripes)
align_job_mb = job_mb(job_memory.of_alignment)
rows_job_mb = job_mb(job_memory.of_rows)
slices_job_mb = job_mb(job_memory.of_slices)


@functools.cache
def seconds_of_jobs_of(scan):
    """Return what a job of each rule of a scan is expected to take."""
    from tomobatch.estimate.workload import seconds_of_jobs

    return seconds_of_jobs(plan(scan), "gpu" if is_for_gpus(scan) else "cpu")


def seconds_of(rule):
    """Return what gives a job of a rule the seconds that it is expected to take."""

    def of_scan(wildcards):
        return seconds_of_jobs_of(wildcards.scan)[rule]

    return of_scan


def is_for_gpus(scan):
    """Tell whether the configuration sends the slices of a scan to GPUs."""
    return CONFIG.scans[scan].reconstruct.device == "gpu"


def gpus_of_slices(wildcards):
    """Return how many GPUs a job on slices asks for."""
    return int(is_for_gpus(wildcards.scan))
