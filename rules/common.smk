"""The few helpers of all rules: the checked configuration, and the plan of each scan.

Decision 6.
"""

import functools
import os
import shlex
import sys
from operator import attrgetter
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.settings.types import DeploymentMethod

import tomobatch
from tomobatch.config.file import read_config_file
from tomobatch.config.schema import load_config
from tomobatch.config.sent import in_this_folder
from tomobatch.errors import UserError
from tomobatch.plan_scan import read_plan, read_plans
from tomobatch.records.table import write_table
from tomobatch.results import CHECKED, EXPORTS, RECORDS, REPORT, VOLUME
from tomobatch.s3.address import is_remote
from tomobatch.scan.distortion_settings import files_to_send
from tomobatch.scan.several import with_each_scan
from tomobatch.stores.finished import note_settings, why_not_replace
from tomobatch.warm.install import install as start_scripts_warm

given = workflow.config_settings.overwrite_config
if "scans" in given:
    # Scans named with --config are those to run, not some more beside those of config.yaml.
    config["scans"] = given["scans"]

try:
    for file in workflow.configfiles:
        read_config_file(Path(file))
    CONFIG = load_config(with_each_scan(config))
    ON_S3 = workflow.storage_settings.default_storage_provider == "s3"
    scans = CONFIG.scans.values() if ON_S3 else ()
    SENT = files_to_send(scan.datasets.distortion for scan in scans)
    if ON_S3 and isinstance(config["scans"], str):
        SENT.append(in_this_folder("scans", config["scans"]))
except UserError as error:
    raise WorkflowError(str(error))

if DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method:
    # The environments hold the libraries; the package itself is the one that plans.
    os.environ.update(PYTHONPATH=os.path.dirname(os.path.dirname(tomobatch.__file__)))

if " " in sys.executable:
    # Snakemake names its Python to a shell without quotes.
    sys.executable = shlex.quote(sys.executable)

# What the configuration is read from is part of it: jobs on other machines are sent it as well.
workflow.configfiles.extend(SENT)

RESULTS = CONFIG.results


wildcard_constraints:
    scan="|".join(CONFIG.scans),
    i=r"\d+",
    k=r"\d+",


def streamed(path):
    """Mark an input that is read where it lies, by range, and never staged."""
    if not ON_S3:
        return path
    if not is_remote(path):
        path = f"{workflow.storage_settings.default_storage_prefix}/{path}"
    return storage.s3(path, retrieve=False)


def levels(pattern, mark=str):
    """Return the file of every level of the volume's pyramid, each marked."""
    n_levels = CONFIG.volume.levels
    return [mark(pattern.replace("{level}", str(level))) for level in range(n_levels)]


def scan_location(scan):
    """Return where the scan lies: a path, or its s3:// address."""
    path = CONFIG.scans[scan].path
    if ON_S3 and not is_remote(path):
        return f"{workflow.storage_settings.default_storage_prefix}/{path}"
    return path


@functools.cache
def plan(scan):
    """Return the plan of a scan, made from its header; read once a process."""
    if workflow.is_main_process and scan in PLANS.good:
        return PLANS.good[scan]
    try:
        return read_plan(CONFIG, scan, scan_location(scan))
    except UserError as error:
        raise WorkflowError(f"scan {scan!r}: {error}")


if workflow.is_main_process and ON_S3:
    from snakemake_executor_plugin_aws_batch_array.inventory import list_ahead

    on_s3 = workflow.storage_settings.default_storage_prefix
    list_ahead([f"{on_s3}/{RESULTS}/{scan}" for scan in CONFIG.scans])

REFUSED = {}
if workflow.is_main_process:
    # Those of this file: what includes it may lie in another folder, a study's for one.
    scripts = workflow.current_basedir.join("../scripts")
    if scripts.is_local:
        start_scripts_warm(Path(str(scripts)).resolve())
    # All scans are looked at before anything runs; a job looks at its own alone.
    PLANS = read_plans(CONFIG, scan_location)
    if not PLANS.good:
        raise WorkflowError("\n".join(PLANS.refusals))
    REFUSED = PLANS.refused
    for line in PLANS.refusals:
        logger.error(f"error: {line}")


onsuccess:
    write_results_table()


onerror:
    write_results_table()


def write_results_table():
    """Write what came of all scans in one table beside the results; on S3, `fetch` does it."""
    if not ON_S3:
        write_table(Path(RESULTS), CONFIG.scans, REFUSED)


def scan_source(wildcards):
    """Return the scan as an input that stays where it is."""
    return streamed(CONFIG.scans[wildcards.scan].path)


def settings(section):
    """Return a function that gives a rule its scan's section of the configuration, as params."""

    def of_scan(wildcards):
        return getattr(CONFIG.scans[wildcards.scan], section).model_dump(mode="json")

    return of_scan


def planned(attribute):
    """Return a function that gives a rule a part of its scan's plan, as params or resources."""

    def of_scan(wildcards):
        return attrgetter(attribute)(plan(wildcards.scan))

    return of_scan


def projection_chunks(pattern, mark=str):
    """Return a function that gives every preprocess job's file of a scan, each marked."""

    def of_scan(wildcards):
        n_chunks = plan(wildcards.scan).projections.n_chunks
        return [
            mark(path)
            for path in expand(pattern, scan=wildcards.scan, i=range(n_chunks))
        ]

    return of_scan


def row_chunks(pattern, mark=str):
    """Return a function that gives every process job's file of a scan, each marked."""

    def of_scan(wildcards):
        n_chunks = plan(wildcards.scan).rows.n_chunks
        return [
            mark(path)
            for path in expand(pattern, scan=wildcards.scan, k=range(n_chunks))
        ]

    return of_scan


def evidence_of_calibration(wildcards):
    """Return the evidence of every chunk of rows, of the scan that tells the calibration."""
    scan = plan(wildcards.scan).calibrated_like
    return expand(
        f"{RESULTS}/{{scan}}/evidence/{{k}}.json",
        scan=scan,
        k=range(plan(scan).rows.n_chunks),
    )


def settings_of_calibration(wildcards):
    """Return the section that is given for the scan that tells the calibration."""
    scan = plan(wildcards.scan).calibrated_like
    return CONFIG.scans[scan].calibrate.model_dump(mode="json")


def slice_chunks(pattern, mark=str):
    """Return a function that gives every reconstruct job's file of a scan, each marked."""

    def of_scan(wildcards):
        n_chunks = plan(wildcards.scan).slices.n_chunks
        return [
            mark(path)
            for path in expand(pattern, scan=wildcards.scan, k=range(n_chunks))
        ]

    return of_scan


def rows_of_slices(pattern, mark=str):
    """Return a function that gives the process jobs' files that a chunk of slices is made of."""

    def of_chunk(wildcards):
        chunks = plan(wildcards.scan).rows_of(int(wildcards.k))
        return [mark(path) for path in expand(pattern, scan=wildcards.scan, k=chunks)]

    return of_chunk


def alignment(wildcards):
    """Return the shifts of the projections as an input of those that move them, if any does."""
    aligned = plan(wildcards.scan).is_aligned
    return [f"{RESULTS}/{wildcards.scan}/alignment.json"] if aligned else []


def final_results():
    """Return what a run is for; small files alone, since the controller fetches them."""
    files = [
        REPORT,
        f"{VOLUME}/zarr.json",
        *(EXPORTS[kind] for kind in CONFIG.volume.export),
        *([CHECKED] if CONFIG.volume.check == "fail" else []),
    ]
    if not CONFIG.keep_intermediates:
        files.append(f"{RECORDS}/remove_intermediates.json")
    good = [scan for scan in CONFIG.scans if scan not in REFUSED]
    return [
        *expand("{results}/{scan}/{file}", results=RESULTS, scan=good, file=files),
        *expand("{results}/{scan}/refused", results=RESULTS, scan=REFUSED),
    ]


def refusal(wildcards):
    """Return why a scan is refused, as params of the rule that fails for it."""
    return REFUSED.get(wildcards.scan, "it is not refused")


def volume_shards(wildcards):
    """Return every shard of every level of a scan's volume."""
    path = f"{RESULTS}/{wildcards.scan}/volume.ome.zarr/{{level}}/c/{{k}}/0/0"
    n_chunks = plan(wildcards.scan).slices.n_chunks
    return [
        shard
        for k in range(n_chunks)
        for shard in levels(path.replace("{k}", str(k)), streamed)
    ]


def results_address(scan):
    """Return where the results of a scan lie: a path, or its s3:// address."""
    folder = f"{RESULTS}/{scan}"
    if ON_S3:
        return f"{workflow.storage_settings.default_storage_prefix}/{folder}"
    return folder


def refuse_to_replace(scans):
    """Refuse to make finished results anew with other settings, unless that is asked for."""
    reasons = [
        reason
        for scan in scans
        if (reason := why_not_replace(results_address(scan), plan(scan).settings))
    ]
    if reasons:
        more = f" and {len(reasons) - 1} more" if len(reasons) > 1 else ""
        raise WorkflowError(
            f"{reasons[0]}{more}: keep it by another `results` folder, or let it be made anew "
            "by `tomobatch run --replace` or `--config replace_results=true`"
        )
