"""Whatever a wildcard, a path or a setting holds reaches the job's own Snakemake as it is."""

import pytest
from snakemake import cli, target_jobs
from snakemake_interface_executor_plugins.utils import TargetSpec, format_cli_arg

from snakemake_executor_plugin_aws_batch_array.targets import (
    decode_target,
    encode_targets,
    read_encoded_targets,
    split_exactly,
)

ODD = [
    "",
    "plain",
    "with space",
    "a,b=c,d",
    "eq=ual",
    "co:lon",
    "'quoted'",
    '"quoted"',
    "it's",
    "both ' and \"",
    "back\\slash\\",
    "ünï中",
    "$HOME `x` ;&|",
    "100%25",
    "-dash",
    "--target-jobs",
    "a/b",
    "tab\tnew\nline",
]


@pytest.fixture
def snakemakes_parser(monkeypatch):
    """Snakemake's own parser of arguments, as the worker has it."""
    monkeypatch.setattr(cli, "parse_target_jobs_cli_args", target_jobs.parse_target_jobs_cli_args)
    read_encoded_targets()
    return cli.get_argument_parser()


@pytest.mark.parametrize("value", ODD)
def test_a_wildcard_reaches_the_job_as_it_is(snakemakes_parser, value):
    specs = [TargetSpec("rule_a", {"w": value, "other": "x"}), TargetSpec("b", {})]

    encoded = encode_targets(specs)

    assert decode_target(encoded[0]) == ("rule_a", {"w": value, "other": "x"})
    # What the worker hands over; Snakemake's parser is the other end.
    options = snakemakes_parser.parse_args(["--target-jobs", *encoded, "--cores", "1"])
    assert options.target_jobs == specs


def test_two_jobs_never_have_the_same_target():
    one = TargetSpec("a", {"x": "1,y=2", "y": "3"})
    other = TargetSpec("a", {"x": "1", "y": "2,y=3"})

    assert encode_targets([one]) != encode_targets([other])


def test_no_target_at_all_is_none(snakemakes_parser):
    assert not snakemakes_parser.parse_args(["--cores", "1"]).target_jobs


@pytest.mark.parametrize("value", ODD[1:])
def test_arguments_come_out_as_snakemake_has_them(value):
    def line():
        return " ".join([format_cli_arg("--one", value), format_cli_arg("--many", [value, "x"])])

    assert split_exactly(line) == ("--one", value, "--many", value, "x")


def test_snakemakes_own_quotes_are_back_afterwards():
    def line():
        raise ValueError

    with pytest.raises(ValueError):
        split_exactly(line)
    assert format_cli_arg("--one", "back\\slash") == "--one 'back\\\\slash'"
