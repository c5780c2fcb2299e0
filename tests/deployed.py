"""The real templates on an emulated account, as setup makes them."""

import boto3

from aws_batch_emulator import Emulator
from tomobatch.aws.account.deploy import deploy

PREFIX = "tomobatch"
BUCKET = f"{PREFIX}-data-123456789012-eu-central-1"


def deploy_templates(emulator: Emulator) -> dict[str, str]:
    """Make all stacks as the administrator, and let the user do what the policy for users allows.

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
    outputs = deploy(client, PREFIX, {}, tell=lambda _: None, poll_s=0.0)
    emulator.grant(outputs["UserPolicy"])
    emulator.reset_calls()
    emulator.reset_decisions()
    return outputs
