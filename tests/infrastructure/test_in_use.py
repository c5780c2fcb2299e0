"""What other stacks use stays, what is gone stays gone, and a user is told."""

import json

import pytest

from snakemake_executor_plugin_aws_batch_array.aws import make_client
from tomobatch.aws.account.changes import carry_out, delete_stack, prepare_changes
from tomobatch.aws.account.stacks import refuse_lost_bucket
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


def storage(**properties):
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "lost-data", **properties}}
    outputs = {"DataBucket": {"Value": {"Ref": "DataBucket"}}}
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    statement["Condition"] = {"Bool": {"aws:SecureTransport": False}}
    policy = {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {
            "Bucket": {"Ref": "DataBucket"},
            "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        },
    }
    resources = {"DataBucket": bucket, "Policy": policy}
    return json.dumps({"Resources": resources, "Outputs": outputs})


def test_a_bucket_that_is_gone_is_told_before_and_never_made_by_an_update(aws):
    client = make_client("cloudformation")
    refuse_lost_bucket(make_client, "lost")
    change(client, "lost-storage", storage())
    refuse_lost_bucket(make_client, "lost")
    make_client("s3").delete_bucket(Bucket="lost-data")
    with pytest.raises(UserError, match="lost-data was deleted by hand: run tomobatch teardown"):
        refuse_lost_bucket(make_client, "lost")
    with pytest.raises(UserError, match=r"DataBucket: .*The specified bucket does not exist"):
        change(client, "lost-storage", storage(Tags=[{"Key": "Project", "Value": "lost"}]))
    delete_stack(client, "lost-storage", lambda _: None, poll_s=0.0)
