"""The real templates on an emulated account, as setup makes them."""

import boto3

from aws_batch_emulator import Emulator
from snakemake_executor_plugin_aws_batch_array.aws import make_client
from tomobatch.aws.account.deploy import deploy

PREFIX = "tomobatch"
BUCKET = f"{PREFIX}-data-123456789012-eu-central-1"


def deploy_templates(emulator: Emulator, **parameters: str) -> dict[str, str]:
    """Make all stacks as the administrator, and let the user do what the policy for users allows.

    Parameters
    ----------
    parameters
        Of the stacks, where not the default ones.

    Returns
    -------
    dict
        The outputs of the stacks.
    """
    keys = emulator.administrator
    client = boto3.client(
        "cloudformation",
        endpoint_url=emulator.endpoint_url,
        region_name=emulator.region,
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
    )
    outputs = deploy(client, PREFIX, parameters, tell=lambda _: None, poll_s=0.0)
    emulator.grant(outputs["UserPolicy"])
    emulator.reset_calls()
    emulator.reset_decisions()
    return outputs


def new_person(name: str, policy: str) -> dict[str, str]:
    """Have the administrator who is signed in make a user who has one policy; return the keys."""
    iam = make_client("iam")
    iam.create_user(UserName=name)
    iam.attach_user_policy(UserName=name, PolicyArn=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }
