"""Step 1: from counts to line integrals, in chunks of projections.

Inputs: the scan.
Outputs: references.h5 (averaged flats and darks, bad pixels), angles.json, projections.zarr, and a
record a chunk.
"""


rule average_references:
    input:
        scan=scan_source,
    output:
        references=f"{RESULTS}/{{scan}}/references.h5",
        angles=f"{RESULTS}/{{scan}}/angles.json",
        record=f"{RESULTS}/{{scan}}/records/average_references.json",
    log:
        f"{RESULTS}/{{scan}}/logs/average_references.log",
    conda:
        "../envs/numerics.yaml"
    resources:
        mem_mb=references_job_mb,
        work_s=seconds_of("average_references"),
    params:
        datasets=settings("datasets"),
        normalise=settings("normalise"),
    script:
        "../scripts/average_references.py"


rule lay_out_projections:
    output:
        metadata=f"{RESULTS}/{{scan}}/projections.zarr/zarr.json",
    log:
        f"{RESULTS}/{{scan}}/logs/lay_out_projections.log",
    conda:
        "../envs/numerics.yaml"
    resources:
        work_s=seconds_of("lay_out_projections"),
    params:
        layout=planned("projections_layout"),
    script:
        "../scripts/lay_out_array.py"


rule preprocess:
    input:
        scan=scan_source,
        references=f"{RESULTS}/{{scan}}/references.h5",
    output:
        shard=f"{RESULTS}/{{scan}}/projections.zarr/c/{{i}}/0/0",
        record=f"{RESULTS}/{{scan}}/records/preprocess/{{i}}.json",
    log:
        f"{RESULTS}/{{scan}}/logs/preprocess/{{i}}.log",
    conda:
        "../envs/numerics.yaml"
    resources:
        mem_mb=projections_job_mb,
        work_s=seconds_of("preprocess"),
    params:
        datasets=settings("datasets"),
        normalise=settings("normalise"),
        corrections=planned("corrections"),
        layout=planned("projections_layout"),
    script:
        "../scripts/preprocess.py"
