"""Projection of a volume along the rays of a cone, and its exact adjoint: the host side."""

import math
from dataclasses import dataclass

import numpy as np
import pyopencl as cl

from tomobatch.arrays import Float64Array
from tomobatch.opencl.buffers import uploaded
from tomobatch.opencl.devices import Device
from tomobatch.opencl.kernels import Define, load_kernel
from tomobatch.reconstruct.cone.walks import RayGrid, make_walks
from tomobatch.reconstruct.iterative.projector import chord_table

PACKAGE = "tomobatch.reconstruct.cone"
# Rows times their lengths that are held at a time.
_BATCH_BYTES = 64 * 2**20


@dataclass(frozen=True)
class RayCut:
    """How the work of the projectors is cut: the constants of ``rays.cl`` of the same names."""

    width: int
    n_vecs: int
    group: int

    @property
    def together(self) -> int:
        """Neighbours, of a column of voxels or of rows, that a group computes."""
        return self.width * self.n_vecs * self.group

    def defines(self, pad: int) -> dict[str, Define]:
        """Return the constants of ``rays.cl`` for columns with so many zeros at either end."""
        return {"WIDTH": self.width, "N_VECS": self.n_vecs, "GROUP": self.group, "PAD": pad}


COLUMNS = RayCut(width=8, n_vecs=8, group=1)
"""For CPUs: a work-item computes 64 neighbours, in vectors."""
LANES = RayCut(width=1, n_vecs=2, group=64)
"""For GPUs: work-items side by side are neighbours."""


def choose_ray_cut(device: Device) -> RayCut:
    """Return the cut for a device: by whether it has local memory of its own, as GPUs have."""
    own = device.cl_device.local_mem_type == cl.device_local_mem_type.LOCAL
    return LANES if own else COLUMNS


def pad_slices(grid: RayGrid) -> int:
    """Return the zeros before and after a column of voxels, which vectors of neighbours reach."""
    far, near = grid.cone.magnifications
    return math.ceil(8 * max(near, 1 / far)) + 8


def column_length(grid: RayGrid, cut: RayCut) -> int:
    """Return how many voxels a column has, those of zero before and after it included."""
    return cut.together * math.ceil((grid.n_slices + 2 * pad_slices(grid)) / cut.together)


class ConeProjector:
    """Projects a volume, and back-projects rays by the exact adjoint.

    Volumes are (row, column * z), z in columns of ``n_z`` with ``pad`` zeros at either end; rays
    (angle, column * row).

    Parameters
    ----------
    device
        Where it runs.
    grid
        Voxels and rays.
    cut
        How the work is cut.

    Attributes
    ----------
    chords
        Buffer of the run of pixels of each row of a slice inside the mask.

    Notes
    -----
    Joseph (1982), IEEE Trans. Med. Imag. 1, 192-196, in three dimensions: a ray's integral is the
    sum over planes of bilinearly interpolated voxels. Planes stand upright, as rays of a cone are
    less than 45 degrees steep.
    """

    def __init__(self, device: Device, grid: RayGrid, cut: RayCut) -> None:
        self.grid, self.pad, self.n_z = grid, pad_slices(grid), column_length(grid, cut)
        self._cut, self._context = cut, device.context
        program = load_kernel(device, "rays", cut.defines(self.pad), package=PACKAGE)
        self._project, self._stretch, self._back_project = (
            cl.Kernel(program, name) for name in ("project", "stretch", "back_project")
        )
        n_angles, n_cols, n_rows = grid.rays_shape
        self.image_shape = (grid.side, grid.side * self.n_z, 1)
        self.rows_shape = (n_angles, n_cols * n_rows, 1)
        self.chords = uploaded(device.context, chord_table(grid.slices))
        self._fill_tables()
        stride = n_cols * (n_rows + 2 * self.pad)
        self._n_angles_held = min(n_angles, max(1, _BATCH_BYTES // (4 * stride)))
        size = 4 * stride * self._n_angles_held
        self._stretched = cl.Buffer(device.context, cl.mem_flags.READ_WRITE, size)

    @property
    def plane(self) -> float:
        """Index of the source's plane in a column of voxels."""
        return self.pad - self.grid.first_slice + self.grid.cone.principal_px[1]

    def project(
        self,
        queue: cl.CommandQueue,
        image: cl.Buffer,
        scratch: cl.Buffer,
        rows: cl.Buffer,
        weights: cl.Buffer,
        seen: cl.Buffer,
        target: cl.Buffer | None = None,
    ) -> None:
        """Enqueue ``rows = weight * (target - integral)``; see ``iterative.projector``.

        The scratch volume stays as it is; weights are one a ray, what is seen one a pixel.
        """
        n_angles, n_cols, n_rows = self.grid.rays_shape
        self._project(
            *(queue, (self._across(n_rows), n_cols, n_angles), (self._cut.group, 1, 1)),
            *(image, rows, rows if target is None else target, weights, seen),
            *(self._walks, self._spans, self._centres),
            *map(np.int32, (n_cols, n_rows, self.grid.side, self.n_z)),
            *(np.float32(self.plane), np.int32(target is not None)),
        )

    def back_project(self, queue: cl.CommandQueue, rows: cl.Buffer, image: cl.Buffer) -> None:
        """Enqueue the adjoint of the projection: rows into image, zero outside the mask."""
        (n_angles, n_cols, n_rows), side = self.grid.rays_shape, self.grid.side
        slices, cone = self.grid.slices, self.grid.cone
        for first in range(0, n_angles, self._n_angles_held):
            n = min(self._n_angles_held, n_angles - first)
            self._stretch(
                *(queue, (n_rows + 2 * self.pad, n_cols, n), None),
                *(rows, self._stretched, self._walks, self._centres),
                *map(np.int32, (first, n_cols, n_rows)),
            )
            self._back_project(
                *(queue, (self._across(self.n_z), side, side), (self._cut.group, 1, 1)),
                *(self._stretched, image, self._walks, self._spans, self._views, self.chords),
                *map(np.float32, (cone.source, cone.beam.axis_shift_px)),
                np.array([slices.first_x_px, slices.first_y_px], dtype=np.float32),
                *map(np.float32, (slices.binning, self.plane)),
                *map(np.int32, (first, n, n_cols, n_rows, side, self.n_z, first == 0)),
            )

    def _across(self, n: int) -> int:
        """Return the work-items that compute so many neighbours."""
        return self._cut.group * math.ceil(n / self._cut.together)

    def _fill_tables(self) -> None:
        """Copy to the device what the kernels know of the geometry."""
        walks, angles = make_walks(self.grid), self.grid.slices.angles_rad
        centres = self.grid.centres_px
        places = np.zeros((*walks.place.shape, 8), dtype=np.float32)
        ways = (walks.place, walks.place_step, walks.way, walks.way_step)
        for at, values in enumerate((*ways, walks.length2, walks.length2_a_row2)):
            places[..., at] = values
        spans = np.stack([walks.along_x, walks.first, walks.stop, walks.stop], axis=-1)
        views: Float64Array = np.column_stack([np.cos(angles), np.sin(angles), centres])
        self._walks, self._spans, self._views, self._centres = (
            uploaded(self._context, table)
            for table in (
                places,
                spans.astype(np.int32),
                views.astype(np.float32),
                centres[:, 1].astype(np.float32),
            )
        )
