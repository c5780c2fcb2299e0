"""The roles of a deployment in small, and what each may do."""

from typing import Any

Template = dict[str, Any]

_DATA = [
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:AbortMultipartUpload",
]
_UPLOADS = ["s3:ListBucketMultipartUploads", "s3:ListMultipartUploadParts"]
_FOLLOW = ["batch:DescribeJobs", "batch:ListJobs"]
_LOOK_UP = ["ec2:DescribeSpotPriceHistory", "servicequotas:GetServiceQuota"]
_CONTROL = ["*/lists/*.json", "*/sources/*.tar.xz", "*/closed/*"]
"""What tells jobs what to do: they may read it alone."""
_PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
_LOG = ["logs:CreateLogStream", "logs:PutLogEvents"]


def roles(prefix: str, bucket: str, log_group: str) -> Template:
    """Return the roles of jobs, of the container agent and of machines, and a user's policy."""
    data = _data_access(bucket)
    control = _control_access(prefix, log_group)
    take_back = _allow("TakeBack", ["batch:CancelJob"], _arn("batch", "job/*"))
    look_up = _allow("LookUp", _LOOK_UP, "*")
    user = [*data, *control, take_back, look_up, _uploads(bucket)]
    return {
        "Job": _role(f"{prefix}-job", "ecs-tasks", [*data, _leave_control(bucket)]),
        "HeadJob": _role(f"{prefix}-head-job", "ecs-tasks", [*data, *control]),
        "Execution": _role(f"{prefix}-execution", "ecs-tasks", _starting(prefix, log_group)),
        "Service": _role(f"{prefix}-service", "batch", []),
        "Instance": _role(f"{prefix}-instance", "ec2", []),
        "User": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {
                "ManagedPolicyName": f"{prefix}-User",
                "PolicyDocument": _document(user),
            },
        },
    }


def _data_access(bucket: str) -> list[Template]:
    return [
        _allow("Data", _DATA, f"arn:aws:s3:::{bucket}/*"),
        _allow("List", ["s3:ListBucket"], f"arn:aws:s3:::{bucket}"),
    ]


def _leave_control(bucket: str) -> Template:
    resources = [f"arn:aws:s3:::{bucket}/{pattern}" for pattern in _CONTROL]
    writes = ["s3:PutObject", "s3:DeleteObject"]
    return {"Sid": "LeaveControl", "Effect": "Deny", "Action": writes, "Resource": resources}


def _uploads(bucket: str) -> Template:
    both = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    return _allow("Uploads", _UPLOADS, *both)


def _control_access(prefix: str, log_group: str) -> list[Template]:
    return [
        _allow("Submit", ["batch:SubmitJob"], *_own(prefix)),
        _allow("End", ["batch:TerminateJob", "batch:TagResource"], _arn("batch", "job/*")),
        _allow("Follow", _FOLLOW, "*"),
        _allow("Logs", ["logs:GetLogEvents"], _arn("logs", f"log-group:{log_group}:*")),
        _allow(
            "Stacks", ["cloudformation:DescribeStacks"], _arn("cloudformation", f"stack/{prefix}-*")
        ),
    ]


def _own(prefix: str) -> list[Template]:
    kinds = ("job-queue", "job-definition")
    return [_arn("batch", f"{kind}/{prefix}-*") for kind in kinds]


def _starting(prefix: str, log_group: str) -> list[Template]:
    return [
        _allow("Registry", ["ecr:GetAuthorizationToken"], "*"),
        _allow("Pull", _PULL, _arn("ecr", f"repository/{prefix}")),
        # A job definition may name a group of its own.
        _allow("Logs", _LOG, _arn("logs", "log-group:*")),
    ]


def _allow(sid: str, actions: list[str], *resources: Template | str) -> Template:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": list(resources)}


def _arn(service: str, resource: str) -> Template:
    scope = "${AWS::Region}:${AWS::AccountId}"
    return {"Fn::Sub": f"arn:aws:{service}:{scope}:{resource}"}


def _role(name: str, service: str, statements: list[Template]) -> Template:
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    inline = {"PolicyName": name, "PolicyDocument": _document(statements)}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": name,
            "AssumeRolePolicyDocument": _document([trust]),
            **({"Policies": [inline]} if statements else {}),
        },
    }


def _document(statements: list[Template]) -> Template:
    return {"Version": "2012-10-17", "Statement": statements}
