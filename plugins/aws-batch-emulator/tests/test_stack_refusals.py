"""What CloudFormation refuses to change and to delete, each with the place where AWS says so."""

import json

import pytest

EXPORTS = "user guide, Get exported outputs from a deployed CloudFormation stack"


def network(cidr="10.9.0.0/16"):
    return {
        "Resources": {"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": cidr}}},
        "Outputs": {"Cidr": {"Value": cidr, "Export": {"Name": "net-cidr"}}},
    }


LOG = {
    "Type": "AWS::Logs::LogGroup",
    "Properties": {"LogGroupName": {"Fn::Join": ["", ["/", {"Fn::ImportValue": "net-cidr"}]]}},
}


@pytest.fixture
def stacks(account):
    client = account.client("cloudformation")
    yield client
    for name in ("imports", "exports", "machines"):
        client.delete_stack(StackName=name)


def change(client, name, template, kind):
    made = client.create_change_set(
        StackName=name, ChangeSetName="c", ChangeSetType=kind, TemplateBody=json.dumps(template)
    )
    client.execute_change_set(ChangeSetName=made["Id"], StackName=name)
    return client.describe_stacks(StackName=made["StackId"])["Stacks"][0]["StackStatus"]


def reasons(client, name):
    events = client.describe_stack_events(StackName=name)["StackEvents"]
    return [event.get("ResourceStatusReason", "") for event in events]


def test_an_export_in_use_stays(stacks):
    change(stacks, "exports", network(), "CREATE")
    change(stacks, "imports", {"Resources": {"Log": LOG}}, "CREATE")
    in_use = "Export net-cidr cannot be {} as it is in use by imports"

    stacks.delete_stack(StackName="exports")
    (left,) = stacks.describe_stacks(StackName="exports")["Stacks"]
    # Seen in the wild: the stack is as it was before, and an event says why.
    assert left["StackStatus"] == "CREATE_COMPLETE"
    assert in_use.format("deleted") in reasons(stacks, "exports"), EXPORTS

    status = change(stacks, "exports", network("10.8.0.0/16"), "UPDATE")
    assert status == "UPDATE_ROLLBACK_COMPLETE"
    assert in_use.format("updated") in reasons(stacks, "exports"), EXPORTS
    assert stacks.list_exports()["Exports"][-1]["Value"] == "10.9.0.0/16"

    stacks.delete_stack(StackName="imports")
    stacks.delete_stack(StackName="exports")
    names = [stack["StackName"] for stack in stacks.describe_stacks()["Stacks"]]
    assert not {"imports", "exports"} & set(names)


def machines(*types):
    return {
        "Type": "AWS::Batch::ComputeEnvironment",
        "Properties": {
            "Type": "MANAGED",
            "ComputeResources": {
                "Type": "SPOT",
                "MaxvCpus": 4,
                "InstanceTypes": list(types),
                "InstanceRole": "tomobatch-instance",
                "Subnets": ["subnet-1"],
                "SecurityGroupIds": ["sg-1"],
            },
        },
    }


def test_a_type_that_the_region_lacks_ends_the_stack(stacks):
    """API reference, ComputeResource, instanceTypes: those of the Region."""
    template = {"Resources": {"Log": {"Type": "AWS::Logs::LogGroup"}, "Machines": machines("c99")}}
    assert change(stacks, "machines", template, "CREATE") == "ROLLBACK_COMPLETE"
    (why,) = [each for each in reasons(stacks, "machines") if "Instance type" in each]
    assert "Instance type can only be one of [" in why
    assert "The following resource(s) failed to create: [Machines]. " in reasons(stacks, "machines")
