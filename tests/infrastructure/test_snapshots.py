"""Nothing in a template changes unseen: each is held whole (decision 87)."""

import difflib

import pytest
from tests.infrastructure.resolved import FOLDER, SNAPSHOTS


@pytest.mark.parametrize("file", SNAPSHOTS, ids=lambda file: file.stem)
def test_a_template_is_what_it_was(file):
    before = file.read_text(encoding="utf-8").splitlines()
    changed = "\n".join(
        difflib.unified_diff(before, SNAPSHOTS[file]().splitlines(), lineterm="", n=4)
    )
    assert not changed, (
        f"{changed}\nif that is meant, say why in the commit that holds the new snapshots: "
        "python -m tests.infrastructure.resolved"
    )


def test_no_snapshot_is_of_nothing():
    assert {path for path in FOLDER.iterdir() if path.is_file()} == set(SNAPSHOTS)
