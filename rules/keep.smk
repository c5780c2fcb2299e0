"""What stays: finished results, unless the user has them replaced; intermediates, until they served.

Inputs: findings.json, which judges the report.
Outputs: settings.json, before anything runs; a record of what was removed. Decisions 110 and 111.
"""


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
    resources:
        work_s=seconds_of("remove_intermediates"),
    params:
        results=lambda wildcards: results_address(wildcards.scan),
    script:
        "../scripts/remove_intermediates.py"
