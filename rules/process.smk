"""Step 2: from projections to sinograms without stripes, and the evidence for calibration.

Inputs: every shard of projections.zarr, of which a job reads its own rows by range; angles.json.
Outputs: stripes.json (what is done against stripes, once a scan), alignment.json (how far each
projection lies off, if that is asked for), sinograms.zarr, evidence and a
record a chunk of rows.
"""


rule lay_out_sinograms:
    output:
        metadata=f"{RESULTS}/{{scan}}/sinograms.zarr/zarr.json",
    log:
        f"{RESULTS}/{{scan}}/logs/lay_out_sinograms.log",
    conda:
        "../envs/numerics.yaml"
    resources:
        work_s=seconds_of("lay_out_sinograms"),
    params:
        layout=planned("sinograms_layout"),
    script:
        "../scripts/lay_out_array.py"


rule choose_stripes:
    input:
        metadata=streamed(f"{RESULTS}/{{scan}}/projections.zarr/zarr.json"),
        shards=projection_chunks(
            f"{RESULTS}/{{scan}}/projections.zarr/c/{{i}}/0/0", streamed
        ),
        angles=f"{RESULTS}/{{scan}}/angles.json",
    output:
        choice=f"{RESULTS}/{{scan}}/stripes.json",
        record=f"{RESULTS}/{{scan}}/records/choose_stripes.json",
    log:
        f"{RESULTS}/{{scan}}/logs/choose_stripes.log",
    conda:
        "../envs/numerics.yaml"
    resources:
        mem_mb=stripes_job_mb,
        work_s=seconds_of("choose_stripes"),
    params:
        stripes=settings("stripes"),
        beam=planned("beam"),
    script:
        "../scripts/choose_stripes.py"


rule align:
    input:
        metadata=streamed(f"{RESULTS}/{{scan}}/projections.zarr/zarr.json"),
        shards=projection_chunks(
            f"{RESULTS}/{{scan}}/projections.zarr/c/{{i}}/0/0", streamed
        ),
        angles=f"{RESULTS}/{{scan}}/angles.json",
        stripes=f"{RESULTS}/{{scan}}/stripes.json",
    output:
        alignment=f"{RESULTS}/{{scan}}/alignment.json",
        record=f"{RESULTS}/{{scan}}/records/align.json",
    log:
        f"{RESULTS}/{{scan}}/logs/align.log",
    conda:
        "../envs/numerics.yaml"
    resources:
        mem_mb=align_job_mb,
        work_s=seconds_of("align"),
    params:
        align=settings("align"),
        stripes=settings("stripes"),
        beam=planned("beam"),
    script:
        "../scripts/align.py"


rule process:
    input:
        metadata=streamed(f"{RESULTS}/{{scan}}/projections.zarr/zarr.json"),
        shards=projection_chunks(
            f"{RESULTS}/{{scan}}/projections.zarr/c/{{i}}/0/0", streamed
        ),
        angles=f"{RESULTS}/{{scan}}/angles.json",
        stripes=f"{RESULTS}/{{scan}}/stripes.json",
        alignment=alignment,
    output:
        shard=f"{RESULTS}/{{scan}}/sinograms.zarr/c/{{k}}/0/0",
        evidence=f"{RESULTS}/{{scan}}/evidence/{{k}}.json",
        record=f"{RESULTS}/{{scan}}/records/process/{{k}}.json",
    log:
        f"{RESULTS}/{{scan}}/logs/process/{{k}}.log",
    conda:
        "../envs/numerics.yaml"
    resources:
        mem_mb=rows_job_mb,
        work_s=seconds_of("process"),
    params:
        stripes=settings("stripes"),
        beam=planned("beam"),
        layout=planned("sinograms_layout"),
    script:
        "../scripts/process.py"
