"""Step 3: one centre of rotation, tilt and grey window from the evidence of every chunk.

Inputs: the evidence of every chunk of rows, of this scan or of the one that calibrate.like names.
Outputs: calibration.json.
"""


rule calibrate:
    input:
        evidence=evidence_of_calibration,
        alignment=alignment,
    output:
        calibration=f"{RESULTS}/{{scan}}/calibration.json",
        record=f"{RESULTS}/{{scan}}/records/calibrate.json",
    log:
        f"{RESULTS}/{{scan}}/logs/calibrate.log",
    conda:
        "../envs/numerics.yaml"
    resources:
        work_s=seconds_of("calibrate"),
    params:
        calibrate=settings_of_calibration,
        like=planned("calibrated_like"),
        pixel_size_um=planned("pixel_size_um"),
        beam=planned("beam"),
        row_is_given=planned("source_row_is_given"),
        merging=planned("merging"),
        columns=planned("header.columns"),
    script:
        "../scripts/calibrate.py"
