"""Step 3: one centre of rotation, tilt and grey window from the evidence of every chunk.

Inputs: the evidence of every chunk of rows.
Outputs: calibration.json.
"""


rule calibrate:
    input:
        evidence=row_chunks(f"{RESULTS}/{{scan}}/evidence/{{k}}.json"),
    output:
        calibration=f"{RESULTS}/{{scan}}/calibration.json",
        record=f"{RESULTS}/{{scan}}/records/calibrate.json",
    log:
        f"{RESULTS}/{{scan}}/logs/calibrate.log",
    conda:
        "../envs/numerics.yaml"
    params:
        calibrate=settings("calibrate"),
        pixel_size_um=planned("pixel_size_um"),
        beam=planned("beam"),
        merging=planned("merging"),
    script:
        "../scripts/calibrate.py"
