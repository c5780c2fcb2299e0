"""What Snakemake believes of local copies of files in storage."""

import asyncio
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.io import IOCache, IOFile

import snakemake_executor_plugin_aws_batch_array  # noqa: F401 - mends what is tested here


@pytest.fixture
def file(tmp_path):
    """A file, in whose place Snakemake has seen a local copy."""
    path = tmp_path / "x"
    path.write_text("")
    cache = IOCache(60)
    cache.active = True
    workflow = SimpleNamespace(iocache=cache)
    pathvars = SimpleNamespace(apply=lambda text: text)
    file = IOFile(str(path), rule=SimpleNamespace(workflow=workflow, pathvars=pathvars))
    assert asyncio.run(file.exists_local())
    return file


def test_a_copy_that_is_gone_is_not_write_protected(file):
    Path(file.file).unlink()

    assert not asyncio.run(file.protected())


def test_a_copy_that_may_not_be_written_is(file, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)

    assert asyncio.run(file.protected())
