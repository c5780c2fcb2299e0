"""What ``import tomobatch`` gives, and that the page about it is true."""

import re
import subprocess
import sys

import numpy as np
import pytest
from tests.view.conftest import write_volume

import tomobatch


def test_the_page_about_python_runs_as_it_is_written(repository, tmp_path):
    text = (repository / "docs/how-to/python.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 6
    rng = np.random.default_rng(0)
    values = rng.normal(size=(8, 16, 16)).astype(np.float32)
    write_volume(tmp_path / "made", values)
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks), tmp_path / "made"],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    printed = done.stdout.splitlines()
    assert printed[0] == re.search(r"```\n(<Scan .*>)\n```", text)[1]
    assert re.fullmatch(r"<Calibration of 8 rows x 96 columns: cor \d\d\.\d\d px .*>", printed[1])
    assert "they look like degrees; give np.deg2rad(angles)" in printed[2]
    assert printed[3].startswith("(8, 16, 16) ")


def test_it_costs_nothing_until_it_is_used():
    program = "import sys, tomobatch; print('numpy' in sys.modules, *sorted(tomobatch.__all__))"
    said = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout.split()
    assert said[0] == "False"
    assert set(said[1:]) <= set(dir(tomobatch))
    for name in tomobatch.__all__:
        assert getattr(tomobatch, name).__doc__


@pytest.mark.parametrize(
    "angles",
    [
        np.linspace(0, 180, 181),
        np.linspace(0, 360, 1800, endpoint=False),
        np.linspace(180, 0, 45),
        np.arange(0, 180, 4.0),
    ],
)
def test_degrees_are_refused(angles):
    with pytest.raises(tomobatch.UserError, match="look like degrees"):
        tomobatch.fbp(np.zeros((len(angles), 16)), angles)


@pytest.mark.parametrize(
    "angles",
    [
        np.linspace(0, np.pi, 90),
        np.linspace(0, 2 * np.pi, 720),
        np.linspace(0, 16 * np.pi, 4000),
        np.arange(100) * np.pi * (3 - 5**0.5),
        np.arange(90) * np.pi * (5**0.5 - 1) / 2,
    ],
)
def test_radians_are_taken(angles):
    assert tomobatch.fbp(np.zeros((len(angles), 16)), angles).shape == (1, 16, 16)


def test_a_volume_has_the_levels_that_it_has(tmp_path):
    write_volume(tmp_path, np.ones((8, 16, 16), np.float32))
    assert tomobatch.read_volume(tmp_path, level=1).shape == (4, 8, 8)
    with pytest.raises(tomobatch.UserError, match="has the levels 0 to 1"):
        tomobatch.read_volume(tmp_path, level=2)
