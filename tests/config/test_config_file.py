"""A config.yaml as users write it: what YAML swallows is told, with the line."""

import pytest

from tomobatch.config.file import read_config_file
from tomobatch.errors import UserError


def test_a_file_without_faults(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_bytes(b"\xef\xbb\xbfscans: {a: a.h5}\nnormalise: &n {floor: 1}\nother: *n\n")
    assert read_config_file(file) == {
        "scans": {"a": "a.h5"},
        "normalise": {"floor": 1},
        "other": {"floor": 1},
    }


def test_an_empty_file_says_nothing(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("# nothing\n")
    assert read_config_file(file) == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3: 'a' stands here again, after line 1"),
        ("scans:\n  a: x.h5\n  b: y.h5\n  a: z.h5\n", "line 4: 'a' stands here again"),
        ("- {a: 1, a: 2}\n", "line 1: 'a' stands here again"),
        ("a: [1\nb: 2\n", "line 2: this is no YAML"),
        ("a: 'x\n", "this is no YAML"),
        ("a: \x07\n", "this is no YAML"),
        ("scan.h5\n", "a mapping of keys to values"),
    ],
)
def test_what_no_user_means_is_refused(tmp_path, text, told):
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(UserError) as error:
        read_config_file(file)
    assert told in str(error.value)
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value)
