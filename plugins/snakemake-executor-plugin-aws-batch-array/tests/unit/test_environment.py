"""Which variables of the user's a job is given."""

import pytest

from snakemake_executor_plugin_aws_batch_array.environment import left_behind, passed_variables
from snakemake_executor_plugin_aws_batch_array.errors import UserError


def test_secrets_stay_at_home():
    declared = {
        "SNAKEMAKE_STORAGE_S3_ACCESS_KEY": "secret",
        "SNAKEMAKE_STORAGE_S3_SECRET_KEY": "secret",
        "SNAKEMAKE_STORAGE_S3_REGION": "eu-central-1",
        "API_TOKEN": "secret",
        "LEVEL": "3",
    }

    passed = passed_variables(declared, ["LEVEL"])

    assert passed == {"SNAKEMAKE_STORAGE_S3_REGION": "eu-central-1", "LEVEL": "3"}
    assert left_behind(declared, passed) == ["API_TOKEN"]


@pytest.mark.parametrize("name", ["AWS_SECRET_ACCESS_KEY", "SNAKEMAKE_STORAGE_S3_SECRET_KEY"])
def test_credentials_are_refused_by_name(name):
    with pytest.raises(UserError, match=name):
        passed_variables({}, [name])
