"""What is known of results is told where users look: inspect, runs, status, fetch."""

import csv
import json

import h5py
import yaml
from tests.cli.calling import tomobatch
from tests.cli.test_runs import record
from tests.deployed import BUCKET

from snakemake_executor_plugin_aws_batch_array.aws import make_client
from tomobatch.aws.runs.place import find_place
from tomobatch.aws.runs.record import put_record
from tomobatch.phantom.write import write_phantom
from tomobatch.records.findings import Finding, Findings

BLURRED = Finding("motion", "red", "3.1", "red from 2.5", "it moved", "look at edges")
GOOD = Finding("tilt", "green", "0.0", "red from 0.5", "the axis", "nothing")


def finish(name):
    """Leave the findings of a run's one scan where its report job puts them."""
    put_record(find_place(), record(name))
    findings = Findings("tooth", (BLURRED, GOOD), ("a beam that changed",))
    make_client("s3").put_object(
        Bucket=BUCKET,
        Key=f"runs/{name}/tooth/findings.json",
        Body=findings.to_json().encode(),
    )


def test_runs_have_the_verdicts_of_their_scans(emulator):
    finish("judged")
    put_record(find_place(), record("unjudged"))
    rows = {row["name"]: row for row in json.loads(tomobatch("runs", "--json").out)}
    found = rows["judged"]["findings"]["tooth"]
    assert (found["level"], found["warnings"]) == ("red", ["a beam that changed"])
    assert [verdict["subject"] for verdict in found["verdicts"]] == ["motion", "tilt"]
    assert rows["unjudged"]["findings"] == {}


def test_status_of_a_run_that_is_over_says_what_to_look_at(emulator):
    finish("over")
    said = " ".join(tomobatch("status", "over").out.split())
    assert "red: tooth: motion: 3.1 (red from 2.5); look at edges" in said
    assert "warning: tooth: a beam that changed" in said
    assert "tilt" not in said
    known = json.loads(tomobatch("status", "over", "--json").out)["findings"]
    assert known["tooth"]["warnings"] == ["a beam that changed"]


def test_fetch_leaves_a_table(emulator, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    finish("fetched")
    assert "summary.csv: what came of every scan" in tomobatch("fetch", "fetched").out
    text = (tmp_path / "results-aws/fetched/summary.csv").read_text(encoding="utf-8-sig")
    (row,) = csv.DictReader(text.splitlines())
    assert (row["scan"], row["verdict"]) == ("tooth", "red")
    assert row["not_green"].startswith("red motion: 3.1")


def test_inspect_names_all_scans_that_cannot_be_reconstructed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b", "c"):
        write_phantom(tmp_path / f"{name}.h5", size=32, n_rows=4, n_angles=40, n_flats=3, n_darks=3)
    with h5py.File("a.h5", "r+") as file:
        del file["exchange/data_white"]
    scans = {"a": "a.h5", "b": "b.h5", "c": "c.h5", "lost": "no/where.h5"}
    section = {"path": "b.h5", "reconstruct": {"roi_px": [0, 0, 500, 500]}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"scans": {**scans, "b": section}}))
    said = tomobatch("inspect")
    assert said.code == 1
    assert "3 cannot be reconstructed: a, b, lost" in said.out
    assert "is not inside a slice of 32 x 32" in said.out
    assert said.out.count("Cannot be reconstructed:") == 3
    several = json.loads(tomobatch("inspect", "--json").out)
    assert [name for name, one in several.items() if one["problems"]] == ["a", "b", "lost"]
    assert tomobatch("inspect", "c").code == 0
    assert json.loads(tomobatch("inspect", "c", "--json").out)["problems"] == []


def test_run_refuses_many_at_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        (tmp_path / f"{name}.h5").write_bytes(b"no scan")
    (tmp_path / "Snakefile").write_text("")
    said = tomobatch("run", "a.h5", "b.h5", "--local")
    assert said.code == 1
    assert "a.h5" in said.err
    assert "b.h5" in said.err
