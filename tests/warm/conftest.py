"""A warm process of a folder of small scripts."""

import pytest

from tomobatch.warm.install import WarmProcess


@pytest.fixture
def warm(tmp_path):
    """A warm process; gone at the end, with all that it started."""
    folder = tmp_path / "scripts"
    folder.mkdir()
    (folder / "imports.py").write_text("import colorsys\n")
    (folder / "broken.py").write_text("import a_module_that_nobody_has\nraise SystemExit\n")
    (folder / "unfinished.py").write_text("def (\n")
    warm = WarmProcess(folder)
    yield warm
    warm.stop()
