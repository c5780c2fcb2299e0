"""Step 4: from sinograms to the slices of the OME-Zarr volume, in OpenCL.

Inputs: a shard of sinograms.zarr, or in a cone beam those of the rows that the slices need;
calibration.json, angles.json.
Outputs: volume.ome.zarr, a shard of every level and a record a chunk of slices.
"""


rule lay_out_volume:
    input:
        calibration=f"{RESULTS}/{{scan}}/calibration.json",
    output:
        group=f"{RESULTS}/{{scan}}/volume.ome.zarr/zarr.json",
        arrays=levels(f"{RESULTS}/{{scan}}/volume.ome.zarr/{{level}}/zarr.json"),
    log:
        f"{RESULTS}/{{scan}}/logs/lay_out_volume.log",
    conda:
        "../envs/numerics.yaml"
    resources:
        work_s=seconds_of("lay_out_volume"),
    params:
        layout=planned("volume_layout"),
    script:
        "../scripts/lay_out_volume.py"


rule reconstruct:
    input:
        metadata=streamed(f"{RESULTS}/{{scan}}/sinograms.zarr/zarr.json"),
        shards=rows_of_slices(
            f"{RESULTS}/{{scan}}/sinograms.zarr/c/{{k}}/0/0", streamed
        ),
        calibration=f"{RESULTS}/{{scan}}/calibration.json",
        angles=f"{RESULTS}/{{scan}}/angles.json",
    output:
        shards=levels(f"{RESULTS}/{{scan}}/volume.ome.zarr/{{level}}/c/{{k}}/0/0"),
        record=f"{RESULTS}/{{scan}}/records/reconstruct/{{k}}.json",
    log:
        f"{RESULTS}/{{scan}}/logs/reconstruct/{{k}}.log",
    conda:
        "../envs/numerics.yaml"
    resources:
        mem_mb=slices_job_mb,
        work_s=seconds_of("reconstruct"),
        gpu=gpus_of_slices,
    params:
        reconstruct=settings("reconstruct"),
        whole_slice_px=planned("whole_slice_px"),
        layout=planned("volume_layout"),
    script:
        "../scripts/reconstruct.py"
