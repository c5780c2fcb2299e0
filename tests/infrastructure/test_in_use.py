"""What other stacks use stays, and a user is told who uses it, though no status of AWS says so."""

import json

import pytest

from snakemake_executor_plugin_aws_batch_array.aws import make_client
from tomobatch.aws.account.changes import carry_out, delete_stack, prepare_changes
from tomobatch.errors import UserError


def network(cidr):
    return json.dumps(
        {
            "Resources": {"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": cidr}}},
            "Outputs": {"Cidr": {"Value": cidr, "Export": {"Name": "used-Cidr"}}},
        }
    )


USER = {
    "Resources": {
        "Log": {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"LogGroupName": {"Fn::ImportValue": "used-Cidr"}},
        }
    }
}


def change(client, name, template):
    change_set = prepare_changes(client, name, template, [], poll_s=0.0)
    carry_out(client, change_set, lambda _: None, poll_s=0.0)


def test_a_stack_whose_export_is_in_use_is_neither_changed_nor_gone(aws):
    client = make_client("cloudformation")
    change(client, "used-network", network("10.1.0.0/16"))
    change(client, "lab-of-others", json.dumps(USER))
    with pytest.raises(UserError) as error:
        change(client, "used-network", network("10.2.0.0/16"))
    assert str(error.value) == (
        "Stack used-network ended in UPDATE_ROLLBACK_COMPLETE: Export used-Cidr cannot be updated "
        "as it is in use by lab-of-others"
    )
    with pytest.raises(UserError) as error:
        delete_stack(client, "used-network", lambda _: None, poll_s=0.0)
    assert str(error.value) == (
        "Stack used-network ended in UPDATE_ROLLBACK_COMPLETE: Export used-Cidr cannot be deleted "
        "as it is in use by lab-of-others"
    )
    for name in ("lab-of-others", "used-network"):
        delete_stack(client, name, lambda _: None, poll_s=0.0)
