"""TIFF as ImageJ itself opens it: Debian's package, on a display that nobody sees."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from tests.copies.originals import VOXEL_UM, original_of
from tests.leaving_out import leave_out

from tomobatch.copies.tiff import write_slices, write_stack

JAR = Path("/usr/share/java/ij.jar")
DTYPES = {"float32": 32, "uint16": 16, "uint8": 8}
# A line an image: the axes, the bits, the voxel, and one pixel of the last slice.
MACRO = """
setBatchMode(true);
paths = split(getArgument(), "\\n");
for (i = 0; i < paths.length; i++) {
  open(paths[i]);
  getVoxelSize(w, h, d, unit);
  getDimensions(nx, ny, nc, nz, nt);
  setSlice(nSlices);
  value = getPixel(3, 2);
  print(nx + "\\t" + ny + "\\t" + nc + "\\t" + nz + "\\t" + nt + "\\t" + bitDepth() + "\\t"
    + d2s(d, 9) + "\\t" + d2s(h, 9) + "\\t" + d2s(w, 9) + "\\t" + unit + "\\t"
    + d2s(value, 9) + "\\t" + d2s(calibrate(value), 9));
  close();
}
"""


def opened(folder, paths):
    """Return what ImageJ says of each file, in one start of it."""
    for needed in ("java", "xvfb-run"):
        if shutil.which(needed) is None:
            leave_out(f"ImageJ needs {needed}: apt-get install imagej xvfb xauth")
    if not JAR.is_file():
        leave_out("no ImageJ on this machine: apt-get install imagej xvfb xauth")
    macro = folder / "look.ijm"
    macro.write_text(MACRO)
    command = ["xvfb-run", "-a", "java", f"-Duser.home={folder}", "-jar", str(JAR)]
    run = subprocess.run(
        [*command, "-batch", str(macro), "\n".join(map(str, paths))],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    lines = [line.split("\t") for line in run.stdout.splitlines() if line.count("\t") == 11]
    assert len(lines) == len(paths), run.stdout
    return lines


def test_imagej_opens_every_stack_and_slice_with_its_spacing_and_greys(tmp_path):
    wanted = []
    for dtype, bits in DTYPES.items():
        original = original_of(dtype)
        values = original.array[:]
        write_stack(original, tmp_path / f"{dtype}.tif")
        wanted.append((tmp_path / f"{dtype}.tif", 3, bits, float(values[2, 2, 3]), original))
        write_slices(original, tmp_path / dtype)
        middle = tmp_path / dtype / "slice_0001.tif"
        wanted.append((middle, 1, bits, float(values[1, 2, 3]), original))
    write_stack(original_of("uint8", None), tmp_path / "unknown.tif")
    *found, unknown = opened(tmp_path, [*(one[0] for one in wanted), tmp_path / "unknown.tif"])
    for line, (_, n_slices, bits, value, original) in zip(found, wanted, strict=True):
        nx, ny, channels, slices, frames, depth = map(int, line[:6])
        assert (nx, ny, channels, slices, frames, depth) == (5, 4, 1, n_slices, 1, bits)
        np.testing.assert_allclose([float(one) for one in line[6:9]], VOXEL_UM, rtol=1e-6)
        assert line[9] == "µm"
        assert float(line[10]) == value
        attributes = original.array.attrs
        grey = value * attributes.get("scale_factor", 1) + attributes.get("add_offset", 0)
        # ImageJ calibrates in float32.
        assert float(line[11]) == pytest.approx(grey, abs=1e-6)
    assert unknown[9] == "pixels"
