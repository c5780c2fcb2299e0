"""Jobs of an emulated account that has been set up, and how to wait for them."""

from snakemake_executor_plugin_aws_batch_array.aws import make_client


def submit(outputs, kind, *command, array=None):
    return make_client("batch").submit_job(
        jobName=f"{kind}-run",
        jobQueue=outputs[f"{kind}JobQueue"],
        jobDefinition=outputs[f"{kind}JobDefinition"],
        containerOverrides={"command": list(command)},
        **({} if array is None else {"arrayProperties": {"size": array}}),
    )["jobId"]


def job(job_id):
    (found,) = make_client("batch").describe_jobs(jobs=[job_id])["jobs"]
    return found


def image_tag(definition):
    """Return the tag of the image that a revision of a job definition names."""
    found = make_client("batch").describe_job_definitions(jobDefinitions=[definition])
    return found["jobDefinitions"][0]["containerProperties"]["image"].rpartition(":")[2]
