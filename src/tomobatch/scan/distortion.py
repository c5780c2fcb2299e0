"""Pictures without the distortion of the detector's optics, by a radial polynomial.

The backward model of Vo, Atwood and Drakopoulos (Optics Express 23, 32859, 2015), in the convention
of discorpy: an ideal pixel at the distance r from the centre of distortion is seen at
``r (k0 + k1 r + k2 r^2 + ...)`` in the same direction, all in pixels of the pictures as they are
stored.

Decision 119.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tomobatch.arrays import Float32Array, Float64Array
from tomobatch.errors import UserError
from tomobatch.scan.distortion_settings import DistortionSettings
from tomobatch.scan.header import Frames
from tomobatch.scan.views import FramesView

# Of the detector's smaller side. Lenses of microscopes move pixels by a hundredth.
_FARTHEST = 0.2


class UndistortedFrames(FramesView):
    """Pictures as optics without distortion would have shown them; beyond the edge it repeats."""

    def __init__(self, frames: Frames, distortion: DistortionSettings) -> None:
        super().__init__(frames, frames.shape[1:], np.dtype(np.float32))
        self._distortion = distortion
        self._seen: tuple[tuple[int, int], Float32Array, Float32Array] | None = None

    def _rows_below(self, low: int, high: int) -> tuple[int, int]:
        _, rows = self._seen_at(low, high)
        return int(rows.min()), min(int(rows.max()) + 2, self.shape[1])

    def _made(self, pictures: NDArray[Any], low: int, high: int) -> NDArray[Any]:
        # numba takes a second to import.
        from tomobatch.scan.interpolation import interpolate

        columns, rows = self._seen_at(low, high)
        is_whole = pictures.dtype.kind in "iu"
        end = float(np.iinfo(pictures.dtype.str).max) if is_whole else np.inf
        native = pictures.astype(pictures.dtype.newbyteorder("="), copy=False)
        out = np.empty((len(pictures), *rows.shape), np.float32)
        interpolate(native, int(rows.min()), columns, rows, end, out)
        return out

    def _seen_at(self, low: int, high: int) -> tuple[Float32Array, Float32Array]:
        """Return where the pixels of rows are seen, as long as the same rows are asked for."""
        if self._seen is None or self._seen[0] != (low, high):
            places = seen_at(self._distortion, self.shape[1:], low, high)
            self._seen = ((low, high), *places)
        return self._seen[1:]


def seen_at(
    distortion: DistortionSettings, shape: tuple[int, int], low: int = 0, high: int | None = None
) -> tuple[Float32Array, Float32Array]:
    """Return the column and the row, on the detector, where ideal pixels are seen.

    Parameters
    ----------
    distortion
        With coefficients.
    shape
        Rows and columns of a picture.
    low, high
        Rows of the ideal picture; all by default.

    Returns
    -------
    columns, rows : float32 (high - low, x)
        Within the detector, to a few thousandths of a pixel at most.
    """
    n_rows, n_cols = shape
    columns, rows = _moved(distortion, shape, low, n_rows if high is None else high)
    columns, rows = np.clip(columns, 0, n_cols - 1), np.clip(rows, 0, n_rows - 1)
    return columns.astype(np.float32), rows.astype(np.float32)


def _moved(
    distortion: DistortionSettings, shape: tuple[int, int], low: int, high: int
) -> tuple[Float64Array, Float64Array]:
    x = np.arange(shape[1]) - distortion.x_px
    y = np.arange(low, high)[:, None] - distortion.y_px
    scale = np.polynomial.Polynomial(distortion.coefficients)(np.hypot(x, y))
    return distortion.x_px + scale * x, distortion.y_px + scale * y


def checked(path: str, distortion: DistortionSettings, shape: tuple[int, int]) -> str:
    """Say what a correction does to pictures of a shape.

    Raises
    ------
    UserError
        Where it moves pixels as no lens does.
    """
    columns, rows = _moved(distortion, shape, 0, shape[0])
    moved = np.hypot(columns - np.arange(shape[1]), rows - np.arange(shape[0])[:, None]).max()
    if moved > _FARTHEST * min(shape):
        raise UserError(
            f"{path}: datasets.distortion moves pixels by up to {moved:.0f} px of {shape[0]} x"
            f" {shape[1]}; are its coefficients those of the backward model, and of this detector?"
        )
    beyond = ((columns < 0) | (rows < 0) | (columns > shape[1] - 1) | (rows > shape[0] - 1)).mean()
    outside = f"; {beyond:.1%} lie beyond the detector and repeat its edge" if beyond else ""
    return (
        f"the distortion of the detector is corrected: pixels are moved by up to {moved:.1f} px"
        f" about column {distortion.x_px:g} and row {distortion.y_px:g}{outside}"
    )
