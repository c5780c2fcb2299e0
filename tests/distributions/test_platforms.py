"""What pip would install on each platform, found by resolving for it: no compiler is needed."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PLATFORMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "aarch64-apple-darwin")
COMPILED = (
    *("google-crc32c", "h5py", "hdf5plugin", "matplotlib", "numba", "numcodecs", "numpy"),
    *("obstore", "pygraphviz", "pyopencl", "scipy"),
)
OWN = "snakemake-executor-plugin-aws-batch-array"


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
@pytest.mark.parametrize("platform", PLATFORMS)
def test_wheels_of_all_that_is_compiled_exist(repository, tmp_path, platform, python):
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))
    needed = [line for line in project["project"]["dependencies"] if OWN not in line]
    (tmp_path / "needed.in").write_text("\n".join(needed))
    wheels_only = [word for name in COMPILED for word in ("--only-binary", name)]
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("uv"), "pip", "compile", "--quiet", "--no-header"),
            *("--python-platform", platform, "--python-version", python, *wheels_only),
            tmp_path / "needed.in",
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    has_pocl = "pocl-binary-distribution" in done.stdout
    assert has_pocl == platform.startswith("x86_64-manylinux")
