"""What a demo scan knows of itself, and how its file keeps it."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tomobatch.known_axis import TRUTH_GROUP
from tomobatch.phantom.solids import Solid, pack_solids, unpack_solids
from tomobatch.phantom.specimen import UniformSphere


@dataclass(frozen=True)
class Truth:
    """The known answer to a demo scan.

    Attributes
    ----------
    n_rows, n_cols
        Size of the detector in pixels.
    cor_px
        Centre of rotation in the middle row, ``(n_rows - 1) / 2``; pixel centres at whole numbers,
        the first at 0.
    tilt_deg
        Angle from the detector columns to the axis: the centre of rotation grows by its tangent
        from one row to the next.
    uniform
        The largest region of one material, with its attenuation.
    solids
        Everything the specimen is made of.
    hot, dead
        Bad pixels, (pixel, 2) of row and column.
    stripes
        Stretches of faulty columns, (stripe, 3) of first row, stop row and column.
    n_zingers
        Zingers in all projections together.
    seed
        What all random numbers were drawn from.
    """

    n_rows: int
    n_cols: int
    cor_px: float
    tilt_deg: float
    uniform: UniformSphere
    solids: tuple[Solid, ...]
    hot: NDArray[np.int64]
    dead: NDArray[np.int64]
    stripes: NDArray[np.int64]
    n_zingers: int
    seed: int

    def __repr__(self) -> str:
        return (
            f"<Truth of {self.n_rows} rows x {self.n_cols} columns: cor {self.cor_px:.2f} px in "
            f"the middle row, tilt {self.tilt_deg:.3f} degrees, {len(self.solids)} solids, "
            f"seed {self.seed}>"
        )

    def cor_of_rows_px(self) -> NDArray[np.float64]:
        """Centre of rotation of every row, shape (y,)."""
        from_middle = np.arange(self.n_rows) - (self.n_rows - 1) / 2
        return np.asarray(self.cor_px + np.tan(np.deg2rad(self.tilt_deg)) * from_middle)

    def uniform_mask(self, rows: slice = slice(None), shrink: float = 0.8) -> NDArray[np.bool_]:
        """Voxels well inside the uniform region.

        Parameters
        ----------
        rows
            The slices wanted.
        shrink
            Share of the region's radius that counts as well inside.

        Returns
        -------
        ndarray, shape (z, y, x), bool
        """
        z = np.arange(self.n_rows)[rows, None, None] - (self.n_rows - 1) / 2 - self.uniform.z_px
        across = np.arange(self.n_cols) - (self.n_cols - 1) / 2
        y, x = across[:, None] - self.uniform.y_px, across - self.uniform.x_px
        return np.asarray(z**2 + y**2 + x**2 < (shrink * self.uniform.radius_px) ** 2)


def write_truth(file: Any, truth: Truth) -> None:  # noqa: ANN401  h5py has no types
    """Store the truth in an open HDF5 file; arrays as datasets, the rest as one JSON attribute."""
    group = file.create_group(TRUTH_GROUP)
    group["cor_px"] = truth.cor_of_rows_px()
    group["solids"] = pack_solids(truth.solids)
    for name in ("hot", "dead", "stripes"):
        group[name] = getattr(truth, name)
    names = ("n_rows", "n_cols", "cor_px", "tilt_deg", "n_zingers", "seed")
    facts = {name: getattr(truth, name) for name in names} | {"uniform": vars(truth.uniform)}
    group.attrs["truth"] = json.dumps(facts)


def read_truth(file: Any) -> Truth | None:  # noqa: ANN401  h5py has no types
    """Read the truth from an open HDF5 file; None if it holds none."""
    group = file.get(TRUTH_GROUP)
    if group is None:
        return None
    facts = json.loads(group.attrs["truth"])
    facts["uniform"] = UniformSphere(**facts["uniform"])
    arrays = {name: group[name][:] for name in ("hot", "dead", "stripes")}
    return Truth(solids=unpack_solids(group["solids"][:]), **arrays, **facts)
