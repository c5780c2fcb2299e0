"""The cone's projector: an exact adjoint, its definition, and the integrals of exact phantoms."""

from dataclasses import replace

import numpy as np
import pyopencl as cl
import pytest
from tests.reconstruct.cone.cone_scans import scan

from tomobatch.beam import ConeBeam
from tomobatch.opencl.buffers import Shared, uploaded
from tomobatch.opencl.devices import find_device
from tomobatch.phantom.project import phantom_volume
from tomobatch.phantom.solids import Shape, Solid
from tomobatch.reconstruct.cone.geometry import make_cone_geometry
from tomobatch.reconstruct.cone.projector import COLUMNS, LANES, ConeProjector
from tomobatch.reconstruct.cone.projector_twin import ray_matrix
from tomobatch.reconstruct.cone.walks import make_ray_grid

CUTS = [COLUMNS, LANES]
NEAR = ConeBeam(
    30, 60, 1.0, 1.1, shift_u_px=1.2, shift_v_px=-2, axis_shift_px=1.5, sense=-1
)  # rays 22 degrees steep, pixels seen 1.4 times as large at one end as on the axis
DRIFT = tuple((0.3 * i, -0.2 * i) for i in range(7))


class Bench:
    """A projector with buffers of its own, to and from the host."""

    def __init__(self, cut, beam, shape, angles, **options) -> None:
        n_rows, n_cols = shape
        geometry = make_cone_geometry(beam, angles, n_rows, n_cols, **options)
        self.grid = make_ray_grid(geometry)
        self.its = ConeProjector(find_device("cpu"), self.grid, cut)
        self.queue = find_device("cpu").queue()
        self.shape = (self.grid.n_slices, self.grid.side, self.grid.side)
        context, (n_angles, n_samples, _) = self.queue.context, self.its.rows_shape
        self.minus = uploaded(context, np.full((n_angles, n_samples), -1, np.float32))
        self.seen = uploaded(context, np.ones(n_samples, np.float32))
        slices = self.grid.slices
        r2 = np.add.outer(slices.y_px**2, slices.x_px**2)
        radius = slices.mask_radius_px
        self.inside = np.ones(r2.shape, bool) if radius is None else r2 <= radius**2
        self._kept = slice(self.its.pad, self.its.pad + self.grid.n_slices)

    def _buffer(self, values: np.ndarray) -> Shared:
        made = Shared(self.queue, values.shape)
        cl.enqueue_copy(self.queue, made.buffer, np.ascontiguousarray(values, dtype=np.float32))
        return made

    def project(self, volume: np.ndarray) -> np.ndarray:
        """Return the integrals (angle, column, row) of a volume (slice, y, x)."""
        columns = np.zeros((self.grid.side, self.grid.side, self.its.n_z))
        columns[..., self._kept] = np.moveaxis(volume, 0, 2)
        source, out = self._buffer(columns), self._buffer(np.full(self.its.rows_shape, np.nan))
        self.its.project(
            self.queue, source.buffer, source.buffer, out.buffer, self.minus, self.seen
        )
        return self._read(out, self.grid.rays_shape)

    def back_project(self, rays: np.ndarray) -> np.ndarray:
        out = self._buffer(np.full(self.its.image_shape, np.nan))
        self.its.back_project(self.queue, self._buffer(rays).buffer, out.buffer)
        columns = self._read(out, (self.grid.side, self.grid.side, self.its.n_z))
        assert not columns[..., : self.its.pad].any()
        assert not columns[..., self.its.n_z - self.its.pad :].any()
        return np.moveaxis(columns[..., self._kept], 2, 0)

    def _read(self, values: Shared, shape: tuple[int, ...]) -> np.ndarray:
        found = np.empty(shape, np.float32)
        cl.enqueue_copy(self.queue, found, values.buffer)
        return found


@pytest.mark.parametrize("cut", CUTS, ids=["vectors", "lanes"])
@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((31, 45), {}),
        ((29, 40), {"mask": False}),
        ((8, 37), {"size_px": 51, "mask": 14.5}),
        ((70, 33), {"binning": 2, "roi": (5, 3, 20, 13)}),
        ((1, 30), {}),
    ],
)
def test_the_back_projection_is_the_adjoint(cut, shape, options) -> None:
    """<A x, y> = <x, A' y>, asked for to 1e-5, for volumes that are zero outside the mask."""
    beam = replace(NEAR, source_to_axis_mm=60, source_to_detector_mm=120, drift_px=DRIFT)
    angles = np.random.default_rng(4).uniform(-9, 9, 5)
    bench = Bench(cut, beam, shape, np.concatenate([angles, angles[:2] + 3]), **options)
    random = np.random.default_rng(1)
    x = random.random(bench.shape, np.float32) * bench.inside
    y = random.random(bench.grid.rays_shape, np.float32)
    there = np.vdot(bench.project(x).astype(np.float64), y)
    back = np.vdot(bench.back_project(y).astype(np.float64), x)
    assert there == pytest.approx(back, rel=1e-6)


@pytest.mark.parametrize("cut", CUTS, ids=["vectors", "lanes"])
@pytest.mark.parametrize("options", [{}, {"mask": False}, {"binning": 3}, {"size_px": 21}])
def test_it_is_the_matrix_of_its_definition(cut, options) -> None:
    angles = np.arange(7) * 2 * np.pi / 7 + 0.1
    bench = Bench(cut, replace(NEAR, drift_px=DRIFT), (9, 17), angles, **options)
    a, random = ray_matrix(bench.grid), np.random.default_rng(2)
    x = random.normal(size=bench.shape) * bench.inside
    expected = (a @ x.ravel()).reshape(bench.grid.rays_shape)
    assert np.abs(bench.project(x) - expected).max() < 1e-5 * np.abs(expected).max()
    y = random.normal(size=bench.grid.rays_shape)
    expected = (a.T @ y.ravel()).reshape(bench.shape)
    assert np.abs(bench.back_project(y) - expected).max() < 1e-5 * np.abs(expected).max()


def test_integrals_are_those_of_an_exact_phantom() -> None:
    """Smooth but for its rim, which pixels and voxels cut differently, and there alone.

    The body is off the axis and off the source's plane, so that a sign that is wrong shows.
    """
    n_cols, n_rows = 64, 48
    beam = ConeBeam(
        150, 300, 2.0, 2.2, shift_u_px=1.4, shift_v_px=-3.2, axis_shift_px=2.5, sense=-1
    )
    solids = [Solid(Shape.ELLIPSOID, 6, -9, 5, 15, 11, 13, 0.4, 1.0)]
    angles = np.arange(12) * 2 * np.pi / 12
    bench = Bench(COLUMNS, beam, (n_rows, n_cols), angles)
    # Slices are as far apart as rows, and the volume's middle is the source's plane.
    pitch, plane = beam.row_pitch_mm / beam.pixel_mm, beam.principal_px(n_rows, n_cols)[1]
    body = vars(solids[0])
    middle = (bench.grid.n_slices - 1) / 2 + bench.grid.first_slice
    squeezed = Solid(
        **{**body, "z_px": body["z_px"] / pitch + plane - middle, "c_px": body["c_px"] / pitch}
    )
    volume = phantom_volume([squeezed], n_cols, bench.grid.n_slices, slice(None))
    found = bench.project(np.asarray(volume) * bench.inside)
    exact = scan(solids, beam, angles, n_rows, n_cols).transpose(1, 2, 0)
    assert np.sqrt(np.mean((found - exact) ** 2)) < 0.01 * exact.max()
    assert found.sum(axis=(1, 2)) == pytest.approx(exact.sum(axis=(1, 2)), rel=3e-3)
