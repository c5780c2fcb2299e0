"""Copies of the volume in other formats, for those who ask for them in the configuration.

Inputs: volume.ome.zarr, by range.
Outputs: volume.tif (a stack in one file), volume.h5 (NeXus), volume.nrrd; in the type of the volume.
"""


rule export_tiff:
    input:
        volume=streamed(f"{RESULTS}/{{scan}}/volume.ome.zarr/zarr.json"),
        arrays=levels(
            f"{RESULTS}/{{scan}}/volume.ome.zarr/{{level}}/zarr.json", streamed
        ),
        shards=volume_shards,
    output:
        stack=f"{RESULTS}/{{scan}}/volume.tif",
    log:
        f"{RESULTS}/{{scan}}/logs/export_tiff.log",
    conda:
        "../envs/numerics.yaml"
    resources:
        mem_mb=slices_job_mb,
        work_s=seconds_of("export_tiff"),
    script:
        "../scripts/export_tiff.py"


rule export_hdf5:
    input:
        volume=streamed(f"{RESULTS}/{{scan}}/volume.ome.zarr/zarr.json"),
        arrays=levels(
            f"{RESULTS}/{{scan}}/volume.ome.zarr/{{level}}/zarr.json", streamed
        ),
        shards=volume_shards,
        provenance=streamed(f"{RESULTS}/{{scan}}/volume.ome.zarr/provenance/zarr.json"),
    output:
        file=f"{RESULTS}/{{scan}}/volume.h5",
    log:
        f"{RESULTS}/{{scan}}/logs/export_hdf5.log",
    conda:
        "../envs/numerics.yaml"
    resources:
        mem_mb=slices_job_mb,
        work_s=seconds_of("export_hdf5"),
    script:
        "../scripts/export_hdf5.py"


rule export_nrrd:
    input:
        volume=streamed(f"{RESULTS}/{{scan}}/volume.ome.zarr/zarr.json"),
        arrays=levels(
            f"{RESULTS}/{{scan}}/volume.ome.zarr/{{level}}/zarr.json", streamed
        ),
        shards=volume_shards,
    output:
        file=f"{RESULTS}/{{scan}}/volume.nrrd",
    log:
        f"{RESULTS}/{{scan}}/logs/export_nrrd.log",
    conda:
        "../envs/numerics.yaml"
    resources:
        mem_mb=slices_job_mb,
        work_s=seconds_of("export_nrrd"),
    script:
        "../scripts/export_nrrd.py"
