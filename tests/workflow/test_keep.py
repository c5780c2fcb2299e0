"""What stays: finished results, and intermediates unless a report is green."""

import json

import yaml
from tests.workflow.running import planned_jobs, set_config, snakemake, write_config


def test_finished_results_are_not_replaced_unless_that_is_asked_for(finished):
    results = finished / "results" / "tiny"
    before = (results / "report.html").read_bytes(), (results / "settings.json").read_bytes()
    set_config(finished, "reconstruct", filter="hann")
    said = snakemake(finished, ok=False)
    assert "Traceback" not in said
    told = 'results/tiny is finished, with other settings (reconstruct.filter: "ramp" then, "hann" '
    assert told in said
    assert "--config replace_results=true" in said
    after = (results / "report.html").read_bytes(), (results / "settings.json").read_bytes()
    assert after == before
    snakemake(finished, "--config", "replace_results=true")
    made_with = json.loads((results / "settings.json").read_text())["settings"]
    assert made_with["reconstruct"]["filter"] == "hann"
    assert (results / "report.html").read_bytes() != before[0]


def test_intermediates_stay_after_a_report_that_is_not_green_and_go_after_one_that_is(finished):
    config = yaml.safe_load((finished / "config.yaml").read_text())
    write_config(finished, **{**config, "keep_intermediates": False})
    results = finished / "results" / "tiny"
    judge(results, "red")
    snakemake(finished)
    assert read_record(results)["kept_since"] == "the report is red"
    assert (results / "projections.zarr").is_dir()
    judge(results, "green")
    assert planned_jobs(snakemake(finished, "-n")) == {
        "remove_intermediates": 1,
        "all": 1,
        "total": 2,
    }
    snakemake(finished)
    assert read_record(results)["removed_bytes"] > 0
    assert not (results / "projections.zarr").exists()
    assert not (results / "sinograms.zarr").exists()
    # What is gone is not made again for nothing.
    assert "Nothing to be done" in snakemake(finished, "-n")


def judge(results, level):
    """Let the report have judged otherwise."""
    findings = json.loads((results / "findings.json").read_text())
    findings["warnings"] = []
    for verdict in findings["verdicts"]:
        verdict["level"] = level
    (results / "findings.json").write_text(json.dumps(findings))


def read_record(results):
    return json.loads((results / "records" / "remove_intermediates.json").read_text())
