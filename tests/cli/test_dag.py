"""The picture of every job: where it is not drawn."""

import pytest
from tests.cli.calling import tomobatch


@pytest.mark.parametrize(
    ("name", "told"),
    [("dag.svg", "dag.svg exists; give another name, or --force"), ("dag.txt", "ends in .svg")],
)
def test_a_picture_is_refused_before_anything_is_planned(tmp_path, monkeypatch, name, told):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text("mine")
    said = tomobatch("dag", name)
    assert said.code == 1
    assert told in said.err
    assert (tmp_path / name).read_text() == "mine"
    assert "no Snakefile" in tomobatch("dag", "dag.svg", "--force").err
