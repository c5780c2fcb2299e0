"""Rings taken off finished slices, where nothing was left to do on the sinograms.

After J. Sijbers and A. Postnov (Phys. Med. Biol. 49, N247, 2004): in polar coordinates about the
axis a ring is a straight line. Here it is what all sectors of an arc have in common: the median of
their medians, as far as it stands out of what differs between them. Half a turn sees a column of
the detector on half a circle, and its mirror image on the other; a full turn sees both all around.

Decision 120.
"""

import math
from dataclasses import dataclass

import numpy as np
import scipy.ndimage as ndi

from tomobatch.arrays import BoolArray, Float32Array, Float64Array
from tomobatch.spread import NORMAL_MAD
from tomobatch.stripes.running_median import running_median

# Of an arc: enough for their median to forget structure, and for their scatter to tell its error.
_N_SECTORS = 12
_FEWEST_SECTORS = 4
# Along the radius: finer than pixels, which keeps narrow rings as high as they are.
_STEP_PX = 0.5
_DIRECTIONS_A_PX = 0.5
_WIDTH_STEPS = 19
# What interpolation leaves of a narrow ring is found the second time.
_PASSES = 2
# A ring within so many standard errors of nothing is left; above, it is lessened by its noise.
_SIGMAS = 3.0
_BYTES_A_PIXEL = 48
_MEDIAN_ERROR = 1.2533


@dataclass(frozen=True)
class Polar:
    """Polar coordinates of slices (y, x).

    Attributes
    ----------
    shape
        Of a slice.
    middle_px
        Row and column of the axis.
    radius_px
        How far it is reconstructed from there.
    n_arcs, first_rad
        How many arcs have rings of their own, and where the first begins; angles as in
        ``x cos + y sin``.
    """

    shape: tuple[int, int]
    middle_px: tuple[float, float]
    radius_px: float
    n_arcs: int
    first_rad: float

    @property
    def radii_px(self) -> Float64Array:
        """Where rings are looked for."""
        return np.arange(0.0, self.radius_px, _STEP_PX)

    def sector(self, arc: int, sector: int) -> tuple[Float64Array, Float64Array]:
        """Return the rows and columns of a sector, (radius, direction)."""
        width = 2 * np.pi / (self.n_arcs * _N_SECTORS)
        n_directions = max(4, math.ceil(width * self.radius_px * _DIRECTIONS_A_PX))
        place = arc * _N_SECTORS + sector + (np.arange(n_directions) + 0.5) / n_directions
        directions, radii = self.first_rad + width * place, self.radii_px[:, None]
        row, column = self.middle_px
        return row + radii * np.sin(directions), column + radii * np.cos(directions)

    def places(self) -> tuple[Float64Array, list[BoolArray]]:
        """Return the radius of every pixel (y, x), and which pixels are each arc's."""
        y, x = np.ogrid[: self.shape[0], : self.shape[1]]
        y, x = y - self.middle_px[0], x - self.middle_px[1]
        turned = (np.arctan2(y, x) - self.first_rad) % (2 * np.pi)
        arc = np.minimum((turned * self.n_arcs / (2 * np.pi)).astype(int), self.n_arcs - 1)
        return np.hypot(y, x), [arc == number for number in range(self.n_arcs)]


@dataclass
class RingsTaken:
    """How much of slices was taken off as rings: sums of squares, of them and of the slices."""

    of_rings: float = 0.0
    of_slices: float = 0.0

    def note(self, slices: Float32Array, taken: float) -> None:
        """Add slices (z, y, x) as they are now, and the squares of what was taken off them."""
        self.of_rings += taken
        self.of_slices += float(np.sum((slices - slices.mean()) ** 2, dtype=np.float64))

    @property
    def share(self) -> float:
        """Of the contrast of the slices that are left, by their root mean squares."""
        return math.sqrt(self.of_rings / self.of_slices) if self.of_slices > 0 else 0.0


def remove_rings(slices: Float32Array, polar: Polar) -> float:
    """Take the rings off slices, in place.

    Whatever is concentric with the axis all along an arc goes with them.

    Parameters
    ----------
    slices
        float32 (z, y, x).
    polar
        Of each of them.

    Returns
    -------
    float
        The sum of the squares of what was taken off.
    """
    taken = 0.0
    radius, arcs = polar.places()
    for image in slices:
        lines = ring_lines(image, polar)
        for _ in range(_PASSES - 1):
            lines += ring_lines(_without(image, lines, polar, radius, arcs), polar)
        without = _without(image, lines, polar, radius, arcs)
        taken += float(np.sum((image - without) ** 2, dtype=np.float64))
        image[:] = without
    return taken


def _without(
    image: Float32Array,
    lines: Float64Array,
    polar: Polar,
    radius: Float64Array,
    arcs: list[BoolArray],
) -> Float32Array:
    """Return a slice without the rings of every arc, which end where it does."""
    without = image.copy()
    for inside, line in zip(arcs, lines, strict=True):
        without[inside] -= np.interp(radius[inside], polar.radii_px, line, right=0.0)
    return without


def work_mb(height_px: int, width_px: int) -> float:
    """Return what it takes beside the slices: radius, direction and copies of one of them."""
    return height_px * width_px * _BYTES_A_PIXEL / 1e6


def ring_lines(image: Float32Array, polar: Polar) -> Float64Array:
    """Return the rings of a slice (y, x) along the radius of every arc, (arc, radius)."""
    n_radii = len(polar.radii_px)
    last = np.subtract(polar.shape, 1)
    lines = np.zeros((polar.n_arcs, n_radii))
    for arc in range(polar.n_arcs):
        medians = np.full((_N_SECTORS, n_radii), np.nan)
        for number in range(_N_SECTORS):
            rows, columns = polar.sector(arc, number)
            values = ndi.map_coordinates(image, [rows, columns], order=1, mode="nearest")
            values -= running_median(values, _WIDTH_STEPS)
            seen = (rows >= 0) & (columns >= 0) & (rows <= last[0]) & (columns <= last[1])
            whole = seen.all(axis=1)
            medians[number, whole] = np.median(values[whole], axis=1)
        lines[arc] = _common(medians)
    return lines


def _common(medians: Float64Array) -> Float64Array:
    """Return what the sectors (sector, radius) of an arc have in common, (radius,)."""
    n_seen = np.count_nonzero(np.isfinite(medians), axis=0)
    common = np.zeros(medians.shape[1])
    enough = n_seen >= _FEWEST_SECTORS
    of_sectors = medians[:, enough]
    middle = np.nanmedian(of_sectors, axis=0)
    scatter = NORMAL_MAD * np.nanmedian(np.abs(of_sectors - middle), axis=0)
    error = _SIGMAS * _MEDIAN_ERROR * scatter / np.sqrt(n_seen[enough])
    power = middle**2
    share = np.divide(power - error**2, power, out=np.zeros_like(power), where=power > error**2)
    common[enough] = middle * share
    return common
