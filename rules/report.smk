"""The report: one self-contained page a scan, and its pictures; a check, for those who ask for it.

Inputs: the scan, every array by range, calibration.json, the records of every job.
Outputs: report.html, findings.json, preview/*.png and, inside the volume, how it was made; checked.json
if nothing is red.
"""


rule report:
    input:
        scan=scan_source,
        references=f"{RESULTS}/{{scan}}/references.h5",
        angles=f"{RESULTS}/{{scan}}/angles.json",
        projections=streamed(f"{RESULTS}/{{scan}}/projections.zarr/zarr.json"),
        calibration=f"{RESULTS}/{{scan}}/calibration.json",
        stripes=f"{RESULTS}/{{scan}}/stripes.json",
        projections_shards=projection_chunks(
            f"{RESULTS}/{{scan}}/projections.zarr/c/{{i}}/0/0", streamed
        ),
        sinograms=streamed(f"{RESULTS}/{{scan}}/sinograms.zarr/zarr.json"),
        sinograms_shards=row_chunks(
            f"{RESULTS}/{{scan}}/sinograms.zarr/c/{{k}}/0/0", streamed
        ),
        volume=streamed(f"{RESULTS}/{{scan}}/volume.ome.zarr/zarr.json"),
        volume_arrays=levels(
            f"{RESULTS}/{{scan}}/volume.ome.zarr/{{level}}/zarr.json", streamed
        ),
        volume_shards=volume_shards,
        records=[
            f"{RESULTS}/{{scan}}/records/average_references.json",
            f"{RESULTS}/{{scan}}/records/choose_stripes.json",
            f"{RESULTS}/{{scan}}/records/calibrate.json",
        ],
        preprocess=projection_chunks(
            f"{RESULTS}/{{scan}}/records/preprocess/{{i}}.json"
        ),
        process=row_chunks(f"{RESULTS}/{{scan}}/records/process/{{k}}.json"),
        reconstruct=slice_chunks(f"{RESULTS}/{{scan}}/records/reconstruct/{{k}}.json"),
    output:
        findings=f"{RESULTS}/{{scan}}/findings.json",
        provenance=f"{RESULTS}/{{scan}}/volume.ome.zarr/provenance/zarr.json",
        html=report(
            f"{RESULTS}/{{scan}}/report.html",
            caption="../docs/captions/report.rst",
            category="{scan}",
        ),
        pictures=report(
            expand(
                f"{RESULTS}/{{{{scan}}}}/preview/{{plane}}.png",
                plane=["xy", "xz", "yz"],
            ),
            caption="../docs/captions/slice.rst",
            category="{scan}",
        ),
    log:
        f"{RESULTS}/{{scan}}/logs/report.log",
    conda:
        "../envs/numerics.yaml"
    resources:
        work_s=seconds_of("report"),
    params:
        settings=planned("settings"),
        orientation=planned("orientation"),
    script:
        "../scripts/report.py"


rule check:
    input:
        findings=f"{RESULTS}/{{scan}}/findings.json",
    output:
        checked=f"{RESULTS}/{{scan}}/checked.json",
    log:
        f"{RESULTS}/{{scan}}/logs/check.log",
    conda:
        "../envs/numerics.yaml"
    resources:
        work_s=seconds_of("check"),
    script:
        "../scripts/check.py"
