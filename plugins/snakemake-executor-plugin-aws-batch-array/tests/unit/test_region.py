"""One Region for every client, wherever it is written down."""

import pytest

from snakemake_executor_plugin_aws_batch_array.aws import make_client
from snakemake_executor_plugin_aws_batch_array.errors import UserError
from snakemake_executor_plugin_aws_batch_array.region import find_region, region_environment


@pytest.fixture
def user(monkeypatch, tmp_path):
    """A user without any AWS settings but those that a test makes; return how to make them."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "config"
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))

    def make(profiles="", **variables):
        file.write_text(profiles, encoding="utf-8")
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return make


FILE = "[default]\nregion = us-west-2\n[profile lab]\nregion = eu-north-1\n"


@pytest.mark.parametrize(
    ("variables", "region"),
    [
        ({"AWS_REGION": "eu-central-1"}, "eu-central-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "eu-west-1"}, "eu-central-1"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_PROFILE": "lab"}, "eu-north-1"),
        ({"AWS_PROFILE": "lab", "AWS_REGION": "eu-central-1"}, "eu-central-1"),
        ({}, "us-west-2"),
    ],
)
@pytest.mark.parametrize("service", ["s3", "batch", "cloudformation"])
def test_clients_work_in_the_region_that_the_user_set(user, variables, region, service):
    user(FILE, **variables)
    assert find_region() == region
    assert make_client(service).meta.region_name == region


def test_a_region_that_is_given_comes_first(user):
    user(FILE, AWS_REGION="eu-central-1")
    assert find_region("us-east-2") == "us-east-2"
    assert make_client("batch", "us-east-2").meta.region_name == "us-east-2"


def test_no_region_is_one_line_that_says_what_to_set(user):
    user()
    with pytest.raises(UserError, match="No AWS Region is known: set AWS_REGION"):
        make_client("batch")


def test_another_process_is_told_by_every_name_that_clients_know(user):
    user(FILE, **region_environment("ap-south-1"))
    assert find_region() == "ap-south-1"
    assert set(region_environment("ap-south-1")) == {
        "AWS_REGION",
        "AWS_DEFAULT_REGION",  # boto3's
        "SNAKEMAKE_STORAGE_S3_REGION",
    }
