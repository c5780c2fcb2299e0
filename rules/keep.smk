"""What stays: finished results, unless the user has them replaced; intermediates, until they served.

Inputs: findings.json, which judges the report.
Outputs: settings.json, before anything runs; a record of what was removed. Decisions 110 and 111.
"""


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


onstart:
    made_anew = sorted(
        job.wildcards.scan
        for job in workflow.dag.needrun_jobs()
        if job.rule.name == "report"
    )
    if not workflow.touch:
        if not CONFIG.replace_results:
            refuse_to_replace(made_anew)
        for scan in made_anew:
            note_settings(results_address(scan), plan(scan).settings)


rule remove_intermediates:
    input:
        findings=f"{RESULTS}/{{scan}}/findings.json",
    output:
        record=f"{RESULTS}/{{scan}}/records/remove_intermediates.json",
    log:
        f"{RESULTS}/{{scan}}/logs/remove_intermediates.log",
    conda:
        "../envs/numerics.yaml"
    params:
        results=lambda wildcards: results_address(wildcards.scan),
    script:
        "../scripts/remove_intermediates.py"
