"""Names of runs and jobs: what they are made of, and that AWS takes them."""

import re

import pytest

from snakemake_executor_plugin_aws_batch_array.identity import (
    default_run_id,
    job_identity,
    output_digests,
    result_options,
    safe_name,
    sources_fingerprint,
    tag_value,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [("a rule", "a rule"), ("a(b)", "a-b-"), ("x" * 256, "x" * 256), ("x" * 769, "x" * 255 + "+")],
)
def test_the_value_of_a_tag_always_fits(text, value):
    assert tag_value(text) == value


@pytest.mark.parametrize("folder", ["_work", "--", "-_-x", "", "ü", "9", "a b(c)"])
def test_the_name_of_a_run_always_fits_aws_batch(folder):
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}", default_run_id(folder, "S", "s3://b"))
    assert re.fullmatch(r"([A-Za-z0-9][A-Za-z0-9_-]*)?", safe_name(folder, 40))


def test_sources_are_the_same_as_long_as_their_contents_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("Snakefile", "scripts/a.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(name)
    files = ["Snakefile", "scripts/a.py"]
    before = sources_fingerprint(files)

    assert sources_fingerprint([*reversed(files), "Snakefile"]) == before
    (tmp_path / "scripts/a.py").write_text("other")
    assert sources_fingerprint(files) != before


def test_only_options_that_change_results_count():
    arguments = ["--force", "--config", "b=2", "a=1", "--verbose", "--set-scatter", "x=3"]

    assert result_options(arguments) == ["--config a=1", "--config b=2", "--set-scatter x=3"]


def test_jobs_are_told_apart_by_all_that_determines_them():
    ids = {
        job_identity("sources", ["--config a=1"], ["a:i=1"]),
        job_identity("other", ["--config a=1"], ["a:i=1"]),
        job_identity("sources", ["--config a=2"], ["a:i=1"]),
        job_identity("sources", ["--config a=1"], ["a:i=2"]),
    }

    ids.add(job_identity("sources", ["--config a=1"], ["a:i=1"], ["in/1.txt"]))
    ids.add(job_identity("sources", ["--config a=1"], ["a:i=1"], ["in/2.txt"]))
    assert len(ids) == 6


def test_files_are_told_apart_and_a_job_without_any_by_its_target():
    one, two = output_digests(["a/1", "a/2"], ["a:i=1"])

    assert one != two
    assert output_digests(["a/1"], ["b:"]) == (one,)
    assert len({output_digests([], ["a:"]), output_digests([], ["b:"]), (one,)}) == 3


def test_the_same_command_has_the_same_run():
    run_id = default_run_id("my study (2)", "Snakefile", "s3://b/x")

    assert run_id == default_run_id("my study (2)", "Snakefile", "s3://b/x")
    assert run_id != default_run_id("my study (2)", "Snakefile", "s3://b/y")
    assert run_id == safe_name(run_id, 40)
    assert run_id.startswith("my-study-2")
