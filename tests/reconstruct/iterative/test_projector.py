"""The projector: an exact adjoint, and the line integrals that exact phantoms have."""

import numpy as np
import pyopencl as cl
import pytest
from tests.reconstruct import shepp_logan

from tomobatch.opencl.buffers import Shared, uploaded
from tomobatch.opencl.devices import find_device
from tomobatch.reconstruct.geometry import make_geometry
from tomobatch.reconstruct.iterative.cut import rays, tiles
from tomobatch.reconstruct.iterative.projector import Projector, make_grid
from tomobatch.reconstruct.iterative.twin import matrix

LANES = 4
CUTS = [tiles(LANES), rays(LANES)]
HALF_TURN = np.arange(40) * np.pi / 40


def projector_of(cut, angles, n_cols, **options):
    geometry = make_geometry(angles, n_cols, **options)
    return Projector(find_device("cpu"), make_grid(geometry), cut)


class Bench:
    """A projector with buffers of its own, to and from the host."""

    def __init__(self, projector: Projector) -> None:
        self.its, self.queue = projector, find_device("cpu").queue()
        grid = projector.grid
        self.shape = (grid.side, grid.side, LANES)
        context = self.queue.context
        ones = np.ones(projector.rows_shape[:2], np.float32)
        self.minus = uploaded(context, -ones)
        self.seen = uploaded(context, np.ones((grid.n_samples, LANES), np.float32))

    def _buffer(self, values: np.ndarray) -> Shared:
        made = Shared(self.queue, values.shape)
        cl.enqueue_copy(self.queue, made.buffer, np.ascontiguousarray(values, dtype=np.float32))
        return made

    def project(self, image: np.ndarray) -> np.ndarray:
        """Return the line integrals of an image (row, column, lane)."""
        pad = self.its.cut.pad_px
        padded = np.zeros(self.its.image_shape, np.float32)
        padded[:, pad:-pad] = image
        source, scratch = self._buffer(padded), self._buffer(np.zeros_like(padded))
        out = self._buffer(np.full(self.its.rows_shape, np.nan))
        buffers = (source.buffer, scratch.buffer, out.buffer, self.minus, self.seen)
        self.its.project(self.queue, *buffers)
        return self._read(out)

    def back_project(self, rows: np.ndarray) -> np.ndarray:
        source, out = self._buffer(rows), self._buffer(np.full(self.its.image_shape, np.nan))
        self.its.back_project(self.queue, source.buffer, out.buffer)
        pad = self.its.cut.pad_px
        return self._read(out)[:, pad:-pad]

    def _read(self, values: Shared) -> np.ndarray:
        found = np.empty(values.shape, np.float32)
        cl.enqueue_copy(self.queue, found, values.buffer)
        return found

    @property
    def inside(self) -> np.ndarray:
        """Pixels that the mask lets through."""
        whole = self.its.grid.geometry
        r2 = np.add.outer(whole.y_px**2, whole.x_px**2)
        radius = whole.mask_radius_px
        return np.ones(r2.shape, bool) if radius is None else r2 <= radius**2


@pytest.mark.parametrize("cut", CUTS, ids=["tiles", "rays"])
@pytest.mark.parametrize(
    ("angles", "n_cols", "options"),
    [
        (HALF_TURN, 64, {}),
        (HALF_TURN, 65, {"mask": False}),
        (np.random.default_rng(0).uniform(-9, 9, 31), 50, {"size_px": 83}),
        (np.array([0, np.pi / 4, np.pi / 2, 3 * np.pi / 4, np.pi]), 40, {"mask": 11.5}),
        (HALF_TURN, 61, {"binning": 3, "roi": (4, 8, 30, 21), "mask": False}),
    ],
)
def test_the_back_projection_is_the_adjoint(cut, angles, n_cols, options) -> None:
    """<A x, y> = <x, A' y>, asked for to 1e-5, for images that are zero outside the mask."""
    bench = Bench(projector_of(cut, angles, n_cols, **options))
    random = np.random.default_rng(1)
    x = random.random(bench.shape, np.float32) * bench.inside[..., None]
    y = random.random(bench.its.rows_shape, np.float32)
    there = np.vdot(bench.project(x).astype(np.float64), y)
    back = np.vdot(bench.back_project(y).astype(np.float64), x)
    assert there == pytest.approx(back, rel=1e-6)


@pytest.mark.parametrize("cut", CUTS, ids=["tiles", "rays"])
def test_it_is_the_matrix_of_its_definition(cut) -> None:
    bench = Bench(projector_of(cut, np.arange(-7, 9, 0.37), 21, mask=9.0))
    a = matrix(bench.its.grid)
    x = np.random.default_rng(2).normal(size=bench.shape) * bench.inside[..., None]
    expected = (a @ x.reshape(-1, LANES)).reshape(bench.its.rows_shape)
    assert np.abs(bench.project(x) - expected).max() < 1e-5 * np.abs(expected).max()
    y = np.random.default_rng(3).normal(size=bench.its.rows_shape)
    expected = (a.T @ y.reshape(-1, LANES)).reshape(bench.shape)
    assert np.abs(bench.back_project(y) - expected).max() < 1e-5 * np.abs(expected).max()


def test_integrals_are_those_of_an_exact_phantom() -> None:
    """The picture's pixels and the exact integrals differ where edges cut pixels, and there alone.

    The mean over rays is that of the phantom's area, which neither pixels nor rays change.
    """
    n_px = 128
    bench = Bench(projector_of(CUTS[0], HALF_TURN, n_px))
    picture = np.repeat(shepp_logan.picture(n_px)[..., None], LANES, axis=2)
    found = bench.project(picture)[..., 0]
    exact = shepp_logan.sinogram(n_px, HALF_TURN)
    grid = bench.its.grid
    first = round(grid.axis - (n_px - 1) / 2)
    found = found[:, first : first + n_px]
    assert np.sqrt(np.mean((found - exact) ** 2)) < 0.01 * exact.max()
    assert found.sum(axis=1) == pytest.approx(exact.sum(axis=1), rel=2e-3)
