"""How the gridding is cut for a device: the constants of its kernels (decisions 14 and 24)."""

from dataclasses import dataclass

from tomobatch.opencl.kernels import Define
from tomobatch.reconstruct.gridding import Spreading

# Sides of a tile of the grid, the best first. Those for groups are powers of two, as the kernel
# wants them, and no narrower than any kernel of the gridding.
_TILES = (40, 16, 8, 4, 2, 1)
# On an H100 tiles of 16 took 2.5 times as long for 8 slices: too few groups for its units.
_SHARED_TILE = 8
_BATCH = 32
_RUN = 16
_WIDEST_ON_GPU = 8


@dataclass(frozen=True)
class Tiling:
    """How the work is cut; ``defines`` are the constants of ``sampling.cl`` and ``gridding.cl``.

    Attributes
    ----------
    shared
        Whether a group of work-items shares a tile, or each has its own.
    tile
        Grid points along the side of a tile.
    group
        Work-items of a group, across and down; one group a tile.
    run
        Columns of a row that a work-item cuts from the grid.
    local_bytes
        What a group takes of the local memory.
    """

    shared: bool
    tile: int
    group: tuple[int, int]
    run: int
    local_bytes: int
    defines: dict[str, Define]

    @property
    def spread(self) -> str:
        """Name of the kernel that spreads."""
        return "spread_shared" if self.shared else "spread_alone"


def make_tiling(
    lanes: int,
    spreading: Spreading,
    local_bytes: int,
    *,
    shared: bool,
    widest: int = 16,
    stream: bool = False,
) -> Tiling:
    """Return the tiling for blocks of so many lanes.

    Parameters
    ----------
    lanes
        Slices of a block, even.
    spreading
        Accuracy of the gridding.
    local_bytes
        Local memory of a work-item with a tile of its own, at most.
    shared
        Whether many work-items share a tile of the grid.
    widest
        Floats of the widest vector that the device's compiler takes.
    stream
        Whether writes go past the caches.
    """
    tile = _SHARED_TILE if shared else _largest_tile(lanes, spreading, local_bytes)
    defines: dict[str, Define] = {
        "LANES": lanes,
        "WIDTH": min(lanes, widest, _WIDEST_ON_GPU) if shared else min(lanes, widest),
        "W": spreading.width,
        "DEGREE": spreading.degree,
        "TILE": tile,
        "RUN": 1 if shared else _RUN,
        "BATCH": _BATCH,
        "STREAM": int(stream),
    }
    return Tiling(
        shared,
        tile,
        (2 * lanes, spreading.width) if shared else (1, 1),
        1 if shared else _RUN,
        _local_bytes(lanes, spreading, tile, shared=shared),
        defines,
    )


def _largest_tile(lanes: int, spreading: Spreading, local_bytes: int) -> int:
    fitting = (
        tile for tile in _TILES if _local_bytes(lanes, spreading, tile, shared=False) <= local_bytes
    )
    return next(fitting, _TILES[-1])


def _local_bytes(lanes: int, spreading: Spreading, tile: int, *, shared: bool) -> int:
    """Return what a group holds: its tile, and, shared, the values and weights of a batch."""
    if not shared:
        return 8 * lanes * (tile + 2 * spreading.width) ** 2
    batch = _BATCH * (8 * lanes + 8 * spreading.width + 8)
    return 8 * lanes * tile * (tile + 1) + batch
