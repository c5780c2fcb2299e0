"""What is wrong with a user's own files and folders is one line, with the path and what to do."""

import subprocess
import sys

from tomobatch.records.job import explain


def raised(action):
    try:
        action()
    except OSError as error:
        return explain(error)
    raise AssertionError("nothing was raised")


def test_a_file_where_a_folder_is_needed(tmp_path):
    (tmp_path / "results").write_text("mine")
    said = raised(lambda: (tmp_path / "results" / "demo").mkdir(parents=True))
    assert said.startswith(f"{tmp_path}/results")
    assert "a file stands where a folder is needed" in said


def test_a_folder_where_a_file_is_needed(tmp_path):
    assert "is a folder where a file is needed" in raised(tmp_path.read_bytes)


def test_a_name_that_is_too_long(tmp_path):
    assert "too long" in raised((tmp_path / ("x" * 300)).read_bytes)


def test_what_may_not_be_written():
    assert explain(PermissionError(13, "Permission denied", "/out")).startswith("/out: permission")


def test_an_error_of_our_own_is_none_of_these(tmp_path):
    assert explain(FileNotFoundError(2, "No such file", "x")) is None
    assert explain(OSError("no number")) is None


SCRIPT = """
import sys
from tomobatch.records.job import reported
with reported(sys.argv[1]):
    pass
"""


def test_a_log_that_can_not_be_written_is_one_line(tmp_path):
    (tmp_path / "logs").write_text("a file")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, tmp_path / "logs" / "job.log"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "a file stands where a folder is needed" in done.stderr
    assert "Traceback" not in done.stderr
