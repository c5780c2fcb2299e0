"""Names that AWS gives to what the stacks make, in an account of the tests."""

ACCOUNT = "123456789012"

REGION = "eu-central-1"

BUCKET = f"arn:aws:s3:::tomobatch-data-{ACCOUNT}-{REGION}"

BATCH = f"arn:aws:batch:{REGION}:{ACCOUNT}"

ECR = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository"

ECS = f"arn:aws:ecs:{REGION}:{ACCOUNT}"

LOGS = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group"

STACKS = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack"

NO_PART_IN_RUNS = [
    ("s3:GetObject", f"{BUCKET}/scans/tooth.h5", False),
    ("batch:SubmitJob", f"{BATCH}:job-queue/tomobatch-cpu", False),
]
"""What may be done by nobody who takes no part in runs: action, resource, not allowed."""
