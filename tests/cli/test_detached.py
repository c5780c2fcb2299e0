"""What a controller that is a job is told when it is submitted, and what it tells at its end."""

import json
import re

import boto3
from tests.cli.calling import tomobatch
from tests.cli.submitting import command_list, submit
from tests.cli.test_runs import record
from tests.waiting import wait_for

from aws_batch_emulator import Fault
from tomobatch.aws.runs.head import TOLD_EXIT_CODE
from tomobatch.aws.runs.launch import submit_head
from tomobatch.aws.runs.notice import failure_notice
from tomobatch.aws.runs.place import find_place
from tomobatch.aws.runs.record import get_record
from tomobatch.aws.runs.sources import pack_sources, put_sources


def test_a_run_keeps_its_image_whatever_is_deployed_later(emulator, workplace, monkeypatch):
    monkeypatch.chdir(workplace.folder)
    emulator.inject(Fault("slow-start", match="kept-*", count=None))
    assert tomobatch("run", "scans/tiny.h5", "--name", "kept", "--detach").code == 0
    place = find_place()
    (head,) = [job for job in emulator.live_jobs() if job["jobName"].startswith("kept-")]
    (job,) = place.batch_calls.describe_jobs(jobs=[head["jobId"]])["jobs"]
    told = {each["name"]: each["value"] for each in job["container"]["environment"]}
    definitions = told["SNAKEMAKE_AWS_BATCH_ARRAY_JOB_DEFINITIONS"].split(",")
    assert definitions == [
        f"cpu={place.outputs['CpuJobDefinition']}",
        f"gpu={place.outputs['GpuJobDefinition']}",
    ]
    place.batch.terminate(head["jobId"], "end of the test")
    emulator.wait_until_idle()


def test_what_nobody_says_of_a_run_is_planned_and_kept_for_whoever_goes_on(
    emulator, workplace, monkeypatch
):
    monkeypatch.chdir(workplace.folder)
    emulator.inject(Fault("slow-start", match="planned-*", count=None))
    said = tomobatch("run", "scans/tiny.h5", "--name", "planned", "--detach")
    assert said.code == 0, said.err
    assert re.search(r"Plan: \d+ pilots?, reconstruction on the CPU queue, the knee: ", said.out)
    assert "; on the GPU queue " in said.out
    place = find_place()
    run = get_record(place, "planned")
    assert (run.size, run.queue) == (run.pilots, "cpu")
    (head,) = [job for job in emulator.live_jobs() if job["jobName"].startswith("planned-")]
    (job,) = place.batch_calls.describe_jobs(jobs=[head["jobId"]])["jobs"]
    command = " ".join(job["container"]["command"])
    assert f"--aws-batch-array-size {run.pilots} --aws-batch-array-pilots {run.pilots}" in command
    assert "--set-resources process:runtime=60" in command
    assert "reconstruct:runtime=60 reconstruct:queue=cpu reconstruct:gpu=0" in command
    place.batch.terminate(head["jobId"], "end of the test")
    emulator.wait_until_idle()


def test_a_mail_names_ten_jobs_and_counts_the_others():
    lines = failure_notice("big", [f"process, chunk {k} of tooth" for k in range(12)]).splitlines()
    assert lines[0] == "Run big failed: 12 jobs of it did."
    assert lines[10:12] == ["- process, chunk 9 of tooth", "- and 2 more"]
    assert "tomobatch resume big" in lines[-1]
    assert failure_notice("big", ["calibrate"]).startswith("Run big failed: 1 job of it did.")
    assert "tomobatch logs big --rule head" in failure_notice("big", [])


def administrators(emulator, service):
    keys = {
        name.lower(): value
        for name, value in emulator.administrator.items()
        if name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    }
    return boto3.client(service, **keys)


def test_a_controller_whose_run_failed_sends_one_mail_with_what_failed(emulator, tmp_path):
    """By the rights of its role; the stacks tell of controllers that end with any other code."""
    place = find_place()
    queue = administrators(emulator, "sqs")
    url = queue.create_queue(QueueName="mails")["QueueUrl"]
    arn = queue.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    administrators(emulator, "sns").subscribe(
        TopicArn=place.outputs["NoticeTopic"], Protocol="sqs", Endpoint=arn["QueueArn"]
    )
    emulator.inject(Fault("out-of-memory", match="unlucky-process-*", index=1))
    array = submit(place, command_list("process", 2, run="unlucky"))
    wait_for(lambda: place.batch.describe([f"{array}:1"])[f"{array}:1"].status.is_final)
    place.batch.terminate(array, "the other one need not go on")
    emulator.wait_until_idle()
    sources, checksum = put_sources(place, "unlucky", pack_sources(tmp_path))
    told = submit_head(place, record("unlucky"), sources, checksum, ["--no-such-option"])
    emulator.wait_until_idle(60)
    (attempt,) = place.batch.describe([told.controller.job_id])[told.controller.job_id].attempts
    assert attempt.exit_code == TOLD_EXIT_CODE
    (mail,) = queue.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    said = json.loads(mail["Body"])
    assert said["Subject"] == "Run unlucky failed"
    assert "- process (demo, chunk 1)" in said["Message"].splitlines()
