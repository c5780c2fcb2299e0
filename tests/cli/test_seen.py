"""What a run saw reaches S3 and comes back, by the rights of a user."""

import json

from tests.cli.calling import tomobatch
from tests.cli.submitting import command_list

from snakemake_executor_plugin_aws_batch_array.command_list import Attempt
from tomobatch.aws.runs.place import find_place
from tomobatch.aws.runs.record import RunRecord, put_record
from tomobatch.aws.runs.seen import NAME, note_seen, read_seen

START_MS = 1_795_000_000_000
WHERE = ("c6i.xlarge", "eu-central-1a", "spot")


def test_later_estimates_take_what_a_run_saw(emulator, tiny_scan):
    place = find_place()
    of_other_tests = read_seen(place)
    put_record(place, RunRecord("seen", "s3://b/runs/seen", {}, {}, "p", "u", START_MS))
    commands = command_list("process", 2, run="seen", submitted_ms=START_MS)
    place.store("seen").put_list(commands)
    for child in (0, 1):
        launched_ms, began_ms = START_MS + 50_000, START_MS + 321_000
        attempt = Attempt(1, began_ms, f"i-{child}", *WHERE, launched_ms, began_ms + 1000, True)
        place.store("seen").put_attempt(commands.name, child, attempt)

    note_seen(place, "seen")

    path = place.runs / "seen" / NAME
    place.s3.put_object(Bucket=path.bucket, Key=f"{place.runs.key}/odd/{NAME}", Body=b"[1]")
    (seen,) = (each for each in read_seen(place) if each not in of_other_tests)
    assert (seen.asked_s, seen.boot_s) == ((50.0,), (271.0, 271.0))
    report = json.loads(tomobatch("estimate", str(tiny_scan), "--json").out)
    (learnt,) = (line for line in report["assumptions"] if line.startswith("learnt from runs"))
    assert "a machine boots within" in learnt
    place.s3.delete_object(Bucket=path.bucket, Key=path.key)
