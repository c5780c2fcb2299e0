from snakemake.utils import min_version

min_version("9.20")


configfile: "config.yaml"


include: "rules/common.smk"
include: "rules/resources.smk"
include: "rules/preprocess.smk"
include: "rules/process.smk"
include: "rules/calibrate.smk"
include: "rules/reconstruct.smk"
include: "rules/report.smk"
include: "rules/export.smk"
include: "rules/keep.smk"


rule all:
    default_target: True
    input:
        final_results(),


localrules:
    all,
    refused,


rule refused:
    """Fail for a scan that cannot be reconstructed; all others go on."""
    output:
        f"{RESULTS}/{{scan}}/refused",
    log:
        f"{RESULTS}/{{scan}}/logs/refused.log",
    conda:
        "envs/numerics.yaml"
    params:
        why=refusal,
    shell:
        "printf 'error: %s\\n' {params.why:q} > {log:q}; exit 1"
