"""A scan as people have it, what should come of it, and whether it did."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.in_process import Reconstructed, reconstruct
from tests.odd_scans.scene import Scene

from tomobatch.errors import UserError

# The noise of such a small scan is 1.5 to 2.5 percent of the largest attenuation in rms, and all
# faults of this kind of input moved it beyond 4 percent or the scale beyond 2.
LARGEST_RMS, LARGEST_SCALE_ERROR, LARGEST_COR_ERROR_PX = 0.03, 0.015, 0.25


@dataclass(frozen=True)
class Written:
    """A scan on disk.

    Attributes
    ----------
    path
        Of the scan.
    scene
        What it shows; the voxels are `voxel_um` wide, or attenuation is per pixel without it.
    """

    path: Path
    scene: Scene
    voxel_um: float | None = None


@dataclass(frozen=True)
class Row:
    """One kind of scan.

    Attributes
    ----------
    name
        Of the kind.
    write
        Writes it into a folder.
    outcome
        ``right``: the volume is the object, whatever is said beside; ``warned``: the volume may be
        wrong; ``refused``: there is none.
    words
        Each must be said; with ``right`` and no words, nothing may be said at all.
    sections
        Of the configuration.
    largest_rms
        Where the scan is noisier than the others on purpose.
    """

    name: str
    write: Callable[[Path], Written]
    outcome: str = "right"
    words: tuple[str, ...] = ()
    sections: Mapping[str, Any] = field(default_factory=dict)
    largest_rms: float = LARGEST_RMS

    def __str__(self) -> str:
        return self.name


def check(row: Row, folder: Path) -> None:
    """Write the scan, run the workflow's steps on it, and hold what comes out against the row."""
    (folder / "in").mkdir()
    written = row.write(folder / "in")
    if row.outcome == "refused":
        with pytest.raises(UserError) as refused:
            reconstruct(folder / "out", written.path, row.sections)
        said = str(refused.value)
        assert "\n" not in said
        assert not (folder / "out/volume.ome.zarr").exists()
    else:
        done = reconstruct(folder / "out", written.path, row.sections)
        said = "\n".join(done.warnings)
        if row.outcome == "right":
            faults = _faults(done, written, row)
            assert not faults, f"{faults}; said: {said}"
            assert row.words or not said, said
        else:
            said += "\n".join(finding.line for finding in done.findings.doubts)
    for words in row.words:
        assert words in said, said


def _faults(done: Reconstructed, written: Written, row: Row) -> list[str]:
    """Return in what the volume differs from the object."""
    volume = done.volume.astype(np.float64)
    if written.voxel_um is not None:
        volume *= written.voxel_um * 1e-4
    truth = written.scene.truth(volume.shape[-1])
    if volume.shape != truth.shape:
        return [f"{volume.shape} voxels in place of {truth.shape}"]
    middle = (volume.shape[-1] - 1) / 2
    y, x = np.indices(volume.shape[1:]) - middle
    inside = np.hypot(x, y) < 0.9 * written.scene.n_cols / 2
    found, expected = volume[:, inside], truth[:, inside]
    rms = float(np.sqrt(np.mean((found - expected) ** 2)) / expected.max())
    scale = float(found.sum() / expected.sum())
    cor = done.calibration.line.mid_px - written.scene.cor_px
    figures = (("rms", rms, row.largest_rms), ("scale - 1", scale - 1, LARGEST_SCALE_ERROR),
               ("cor", cor, LARGEST_COR_ERROR_PX))  # fmt: skip
    return [f"{name} {figure:.4f}" for name, figure, most in figures if not abs(figure) <= most]
