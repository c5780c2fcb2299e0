"""What a controller that is a job is told when it is submitted."""

from tests.cli.calling import tomobatch

from aws_batch_emulator import Fault
from tomobatch.aws.runs.place import find_place


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
