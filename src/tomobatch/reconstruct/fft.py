"""Fast Fourier transforms of interleaved grids on the host, by scipy's pocketfft in threads.

Decision 21.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import scipy.fft

from tomobatch.cores import n_usable_cores

Complex64Array = npt.NDArray[np.complex64]

# What one thread transforms at a time: small enough for the cache it has for itself.
_PART_BYTES = 2 * 2**20


def even_fast_length(at_least: int) -> int:
    """Return an even length that transforms fast."""
    return 2 * int(scipy.fft.next_fast_len(-(-at_least // 2), real=True))


def in_parallel(work: Callable[[slice], None], n: int, step: int) -> None:
    """Call ``work`` with the slices [0, step), [step, 2 step) ... of n, in threads.

    An exception of a call is raised here once the calls under way have ended.
    """
    with ThreadPoolExecutor(n_usable_cores()) as threads:
        for _ in threads.map(work, (slice(i, min(i + step, n)) for i in range(0, n, step))):
            pass


def inverse_plane(grid: Complex64Array, rows: slice, columns: slice) -> None:
    """Transform a grid in place, as far as some of its rows and columns are concerned.

    Parameters
    ----------
    grid : complex64 (n, n, lane)
        Frequencies, zero first; replaced by ``sum of grid * exp(2 pi i (u x + v y) / n)`` in
        [rows, columns], by intermediate values elsewhere.
    rows, columns
        The part of the result that is needed.
    """
    n, _, n_lanes = grid.shape
    line_bytes = n * n_lanes * grid.itemsize

    def along_rows(part: slice) -> None:
        block = grid[part]
        _keep(scipy.fft.ifft(block, axis=1, norm="forward", overwrite_x=True), block)

    def down_columns(part: slice) -> None:
        # Copied together first: the lines of a column lie whole rows apart, which caches dislike.
        wanted = slice(columns.start + part.start, columns.start + part.stop)
        block = np.ascontiguousarray(grid[:, wanted])
        grid[rows, wanted] = scipy.fft.ifft(block, axis=0, norm="forward", overwrite_x=True)[rows]

    step = max(1, _PART_BYTES // line_bytes)
    in_parallel(along_rows, n, step)
    in_parallel(down_columns, columns.stop - columns.start, step)


def _keep(result: Complex64Array, block: Complex64Array) -> None:
    """Copy the result into the block, unless the transform worked in place."""
    if not np.may_share_memory(result, block):
        block[...] = result
