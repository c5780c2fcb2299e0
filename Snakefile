from snakemake.utils import min_version

min_version("9.20")


configfile: "config.yaml"


include: "rules/common.smk"
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
