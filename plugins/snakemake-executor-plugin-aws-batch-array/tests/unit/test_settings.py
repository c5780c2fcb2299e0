"""What the user sets on the command line, and what is refused before any job."""

import pytest

from snakemake_executor_plugin_aws_batch_array.errors import UserError
from snakemake_executor_plugin_aws_batch_array.settings import (
    ExecutorSettings,
    check_settings,
    format_pairs,
    parse_pairs,
)


def test_pairs_survive_the_journey():
    assert parse_pairs("cpu=a, gpu=b=c,") == {"cpu": "a", "gpu": "b=c"}
    assert parse_pairs(format_pairs({"x": "1", "y": "2"})) == {"x": "1", "y": "2"}


@pytest.mark.parametrize("text", ["cpu", "=a", "cpu="])
def test_broken_pairs_are_refused(text):
    with pytest.raises(UserError, match="NAME=VALUE"):
        parse_pairs(text)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size", 0),
        ("size", 10_001),
        ("pilots", -1),
        ("child_minutes", -1.0),
        ("attempts", 11),
        ("task_timeout", 59),
        ("priority", 10_000),
    ],
)
def test_numbers_batch_does_not_accept_are_refused(name, value):
    flag = f"--aws-batch-array-{name.replace('_', '-')} is {value}"
    with pytest.raises(UserError, match=flag):
        check_settings(ExecutorSettings(**{name: value}))


def test_the_defaults_are_accepted():
    check_settings(ExecutorSettings())


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({"aws:x": "1"}, "aws:x=1 begins with aws:"),
        ({"k" * 129: "1"}, "longer than 128"),
        ({"k": "v" * 257}, "256 of its value"),
        ({"k": "a;b"}, "other signs"),
        ({str(i): "1" for i in range(47)}, "has 47 tags"),
    ],
)
def test_tags_that_aws_refuses_are_refused_before_any_job(tags, message):
    with pytest.raises(UserError, match=message):
        check_settings(ExecutorSettings(tags=tags))


def test_tags_that_aws_takes_are_taken():
    check_settings(ExecutorSettings(tags={"Größe": "a b+c-d=e._:/@", "k" * 128: "v" * 256}))


@pytest.mark.parametrize("share", ["", "a-b", "x" * 256])
def test_a_share_identifier_has_letters_and_digits(share):
    with pytest.raises(UserError, match="share-identifier"):
        check_settings(ExecutorSettings(share_identifier=share))
