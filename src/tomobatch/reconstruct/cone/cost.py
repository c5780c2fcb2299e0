"""What a chunk of slices of a cone beam takes: time and memory, for plans and estimates."""

import math

from tomobatch.opencl.kind import DeviceKind
from tomobatch.reconstruct.cone.geometry import ConeGeometry
from tomobatch.reconstruct.cone.iterate import volume_bytes
from tomobatch.reconstruct.cone.walks import make_ray_grid
from tomobatch.reconstruct.settings import IterativeName, ReconstructSettings

# Nanoseconds of a voxel at an angle, and of a point of a transform times the logarithm of its
# length. CPU: two cores of an AMD EPYC (benchmarks/results/cone.md). GPU: reckoned for a T4 at 45%
# of its texture fetches, the rows being filtered by eight cores; an H100 took 0.0014 a voxel (its
# kernel; docs/explanation/gpu-kernels.md).
_UPDATE_NS = {"cpu": 0.22, "gpu": 0.0118}
_POINT_NS = {"cpu": 0.25, "gpu": 0.0625}
# Of a voxel at an angle, there and back along the rays. CPU: measured as above. GPU: reckoned for a
# T4 by what its back-projection takes of an H100's; an H200 took 0.018 at 512 px and 180 angles.
_ITERATION_NS = {"cpu": 6.0, "gpu": 0.15}
_MB = 1e6
# Filtered projections, and the rows they are made of, that are held at a time.
_BATCH_MB = 600


def chunk_s(kind: DeviceKind, geometry: ConeGeometry, start: int, stop: int) -> float:
    """Return the expected seconds to filter and back-project slices [start, stop)."""
    where = "gpu" if kind == "gpu" else "cpu"
    height, width = geometry.slices.shape_px
    area = float(height * width)
    radius = geometry.slices.mask_radius_px
    if radius is not None:
        area = min(area, math.pi * (radius / geometry.slices.binning) ** 2)
    n_angles = geometry.slices.n_angles
    first, last = geometry.rows_needed(start, stop)
    points = n_angles * (last - first) * geometry.ring_px * math.log2(geometry.ring_px)
    updates = area * n_angles * (stop - start)
    return 1e-9 * (_UPDATE_NS[where] * updates + _POINT_NS[where] * points)


def iterating_s(kind: DeviceKind, geometry: ConeGeometry, chosen: ReconstructSettings) -> float:
    """Return the expected seconds to iterate on the whole volume."""
    grid = make_ray_grid(geometry)
    radius = grid.slices.mask_radius_px
    area = float(grid.side**2)
    if radius is not None:
        area = min(area, math.pi * (radius / grid.slices.binning) ** 2)
    updates = area * grid.n_slices * grid.slices.n_angles
    where = "gpu" if kind == "gpu" else "cpu"
    return 1e-9 * _ITERATION_NS[where] * updates * (1 + chosen.n_iterations(chosen.method))


def iterating_mb(geometry: ConeGeometry, chosen: ReconstructSettings) -> float:
    """Return the memory of the job that iterates on the whole volume."""
    name: IterativeName = chosen.method  # type: ignore[assignment]  # it iterates
    image, _, every = volume_bytes(make_ray_grid(geometry), name)
    started = image + _BATCH_MB * _MB if chosen.start == "fbp" else 0.0
    return (every + started) / _MB


def chunk_mb(geometry: ConeGeometry, n_slices: int) -> float:
    """Return the memory of a chunk: the slab as it is computed and as it is written, and rows."""
    height, width = geometry.slices.shape_px
    return 2 * 4 * height * width * 64 * math.ceil(n_slices / 64) / _MB + _BATCH_MB
