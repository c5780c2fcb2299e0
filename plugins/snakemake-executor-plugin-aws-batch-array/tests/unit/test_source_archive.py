import io
import logging
import tarfile

import pytest

from snakemake_executor_plugin_aws_batch_array.source_archive import pack, shipped


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A working directory; its Snakefile is a link to another one."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "Snakefile").write_text("rule all:\n")
    folder = tmp_path / "study"
    (folder / "rules").mkdir(parents=True)
    (folder / "rules" / "own.smk").write_text("rule own:\n")
    (folder / "Snakefile").symlink_to(elsewhere / "Snakefile")
    (folder / "second.smk").hardlink_to(folder / "rules" / "own.smk")
    (folder / "linked").symlink_to(folder / "rules")
    monkeypatch.chdir(folder)
    return folder


def test_links_are_followed(study, tmp_path):
    unpacked = tmp_path / "child"
    names = ["Snakefile", "linked", "rules/own.smk", "second.smk"]
    packed = pack(shipped(names, [], logging.getLogger()))
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        tar.extractall(unpacked, filter="data")
    texts = {
        path.relative_to(unpacked).as_posix(): path.read_text()
        for path in unpacked.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
    assert texts == {
        "Snakefile": "rule all:\n",
        "linked/own.smk": "rule own:\n",
        "rules/own.smk": "rule own:\n",
        "second.smk": "rule own:\n",
    }


def test_caches_and_what_no_job_needs_stay(study, caplog):
    for name in ("rules/__pycache__/a.pyc", ".snakemake/x", "docs/a/b.md", "docs.smk"):
        (study / name).parent.mkdir(parents=True, exist_ok=True)
        (study / name).write_text(name)
    kept = ["Snakefile", "docs.smk", "rules/own.smk"]
    left = ["rules/__pycache__/a.pyc", ".snakemake/x", "docs/a/b.md", "deleted.smk"]
    assert shipped([*left, *kept, *kept], ["docs", "tests/"], logging.getLogger()) == kept
    assert not caplog.records


def test_what_jobs_may_miss_is_told(study, caplog):
    (study / "large.bin").write_bytes(bytes(10_000_001))
    names = ["../elsewhere/Snakefile", "large.bin", "Snakefile"]
    assert shipped(names, [], logging.getLogger()) == ["Snakefile"]
    outside, large = (record.message for record in caplog.records)
    assert "../elsewhere/Snakefile is not sent to jobs, as it lies outside" in outside
    assert "large.bin is not sent to jobs, as it is larger than 10 MB" in large
