"""Policies that stacks make: of a bucket, and for users."""

import json

BUCKET_TEMPLATE = {
    "Resources": {
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "guarded"}},
        "Policy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": {"Ref": "Bucket"},
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Deny",
                            "Principal": "*",
                            "Action": "s3:PutObject",
                            "Resource": "arn:aws:s3:::guarded/*",
                        },
                        {
                            "Effect": "Deny",
                            "Principal": "*",
                            "Action": "s3:*",
                            "Resource": "arn:aws:s3:::guarded/*",
                            "Condition": {"Bool": {"aws:SecureTransport": False}},
                        },
                    ],
                },
            },
        },
    }
}


def test_a_buckets_policy_of_a_stack_holds_for_administrators_too(account, refusal):
    stacks = account.client("cloudformation")
    stacks.create_stack(StackName="guarded", TemplateBody=json.dumps(BUCKET_TEMPLATE))
    s3 = account.client("s3")
    _, code, message = refusal(s3.put_object, Bucket="guarded", Key="x", Body=b"x")
    assert code == "AccessDenied"
    assert message.endswith("with an explicit deny in a resource-based policy")
    assert refusal(s3.get_object, Bucket="guarded", Key="x")[1] == "NoSuchKey"
    stacks.delete_stack(StackName="guarded")
    assert refusal(s3.head_bucket, Bucket="guarded")[0] == 404


def test_a_stack_with_a_policy_that_someone_has_stays(account):
    """IAM API, DeletePolicy: "first detach the policy from all users, groups, and roles"."""
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [everything]}
    policy = {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {"ManagedPolicyName": "lab-User", "PolicyDocument": document},
    }
    stacks, iam = account.client("cloudformation"), account.client("iam")
    stacks.create_stack(
        StackName="lab",
        TemplateBody=json.dumps({"Resources": {"User": policy}}),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    iam.create_user(UserName="ada")
    attached = {"UserName": "ada", "PolicyArn": "arn:aws:iam::123456789012:policy/lab-User"}
    iam.attach_user_policy(**attached)
    stacks.delete_stack(StackName="lab")
    (stack,) = stacks.describe_stacks(StackName="lab")["Stacks"]
    assert stack["StackStatus"] == "DELETE_FAILED"
    iam.detach_user_policy(**attached)
    stacks.delete_stack(StackName="lab")
    assert "lab" not in [s["StackName"] for s in stacks.describe_stacks()["Stacks"]]
