"""One Region for every client, however it is set: S3 and Batch answer in their own alone."""

import json

import boto3
import pytest
from tests.cli.calling import tomobatch
from tests.cli.submitting import command_list, submit
from tests.deployed import BUCKET

from tomobatch.aws.runs.place import find_place
from tomobatch.s3.transfer import upload_file

RIGHT, WRONG = "eu-central-1", "us-west-2"
WAYS = {
    "only AWS_REGION": ({"AWS_REGION": RIGHT}, None),
    "only a profile": ({}, RIGHT),
    "AWS_REGION and another in the profile": ({"AWS_REGION": RIGHT}, WRONG),
    "AWS_REGION before AWS_DEFAULT_REGION": (
        {"AWS_REGION": RIGHT, "AWS_DEFAULT_REGION": WRONG},
        None,
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_client_takes_the_same_region(emulator, tiny_scan, tmp_path, monkeypatch, way):
    address = f"s3://{BUCKET}/scans/region.h5"
    upload_file(tiny_scan, address)
    place = find_place()
    job_id = submit(place, command_list("process", 1, run="region"))
    place.batch.terminate(job_id, "end of the test")

    variables, of_profile = WAYS[way]
    # As in a new shell: what find_place had set for Snakemake is gone.
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "SNAKEMAKE_STORAGE_S3_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("TOMOBATCH_BUCKET", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    if of_profile is not None:
        config = tmp_path / "config"
        config.write_text(f"[profile lab]\nregion = {of_profile}\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        monkeypatch.setenv("AWS_PROFILE", "lab")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    # Stacks, S3 by boto3 and Batch, then S3 by obstore.
    status = tomobatch("status", "region", "--json")
    assert status.code == 0, status
    assert json.loads(status.out)["run"] == "region"
    scan = tomobatch("inspect", address)
    assert scan.code == 0, scan
    assert "60" in scan.out


def test_who_has_no_region_is_told_of_this_machine(tiny_scan, tmp_path, monkeypatch):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    said = tomobatch("run", str(tiny_scan))
    assert said.code == 1
    assert "No AWS Region is known" in said.err
    assert said.err.rstrip().endswith("; or run here: tomobatch run --local")
