"""What a run on this machine says at its end."""

import pytest

from tomobatch.phantom.write import write_phantom


@pytest.fixture(scope="module")
def doubtful_scan(tmp_path_factory):
    """A scan with a single flat, of which the references warn."""
    path = tmp_path_factory.mktemp("scans") / "doubtful.h5"
    write_phantom(path, size=48, n_rows=6, n_angles=40, n_flats=1, n_darks=4, seed=3)
    return path


@pytest.mark.parametrize("command", [("demo",), ("run", "--local")])
def test_the_closing_lines_repeat_every_warning(workplace, doubtful_scan, command):
    if command == ("demo",):
        (workplace.folder / "config.yaml").unlink()  # a folder that the demo finds empty
    said = workplace.run(*command, str(doubtful_scan)).splitlines()
    # A line a step, and a line for each verdict that is not green.
    assert len(said) < 30, said
    assert any("48 x 48 x 6 voxels of " in line for line in said)
    told = "warning: doubtful: a series holds a single flat: its zingers stay in it, and its noise"
    assert any(line.startswith(told) and "take ten or more" in line for line in said[-5:]), said
