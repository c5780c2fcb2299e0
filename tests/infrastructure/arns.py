"""Names that AWS gives to what the stacks make, in an account of the tests."""

ACCOUNT = "123456789012"

REGION = "eu-central-1"

BUCKET = f"arn:aws:s3:::tomobatch-data-{ACCOUNT}-{REGION}"

BATCH = f"arn:aws:batch:{REGION}:{ACCOUNT}"

ECR = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository"

ECS = f"arn:aws:ecs:{REGION}:{ACCOUNT}"

LOGS = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group"

STACKS = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack"
