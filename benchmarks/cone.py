"""FDK beside RTK on the same exact projections: accuracy against the truth, and processor time.

    python benchmarks/cone.py [SIZE] [ANGLES]

Needs itk-rtk beside tomobatch. Results stand in results/cone.md.
"""

import math
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.reconstruct.cone.cone_scans import ellipsoids, ideal, scan

from tomobatch.phantom.project import phantom_volume
from tomobatch.reconstruct.cone import fdk


def timed(work):
    """Return what the work returns, and its processor time."""
    start = time.process_time()
    result = work()
    return result, time.process_time() - start


def rtk_inputs(sinograms, beam, size, angles):
    """Return RTK's geometry, stack of projections, and empty cube in the source's middle."""
    import itk
    from itk import RTK as rtk

    n_rows, _, n_cols = sinograms.shape
    geometry = rtk.ThreeDCircularProjectionGeometry.New()
    for angle in np.rad2deg(angles):
        geometry.AddProjection(beam.source_to_axis_mm, beam.source_to_detector_mm, float(angle))
    stack = itk.image_from_array(np.ascontiguousarray(sinograms.transpose(1, 0, 2)))
    stack.SetSpacing([beam.pixel_mm, beam.row_pitch_mm, 1])
    corner = -(n_cols - 1) / 2 * beam.pixel_mm, -(n_rows - 1) / 2 * beam.row_pitch_mm
    stack.SetOrigin([*corner, 0])
    empty = rtk.ConstantImageSource[itk.Image[itk.F, 3]].New()
    empty.SetOrigin([-(size - 1) / 2] * 3)
    empty.SetSpacing([1.0, 1.0, 1.0])
    empty.SetSize([size, size, size])
    empty.SetConstant(0.0)
    empty.Update()
    return geometry, stack, empty


def by_rtk(sinograms, beam, size, angles):
    """Reconstruct a cube in the source's middle with RTK, (z, y, x), and tell its time."""
    import itk
    from itk import RTK as rtk

    geometry, stack, empty = rtk_inputs(sinograms, beam, size, angles)
    image = itk.Image[itk.F, 3]
    filters = rtk.FDKConeBeamReconstructionFilter[image].New()
    filters.SetInput(0, empty.GetOutput())
    filters.SetInput(1, stack)
    filters.SetGeometry(geometry)
    filters.GetRampFilter().SetTruncationCorrection(0.0)
    filters.GetRampFilter().SetHannCutFrequency(0.0)
    _, spent = timed(filters.Update)
    # x = X, y = -Z, z = Y.
    return itk.array_from_image(filters.GetOutput())[::-1].transpose(1, 0, 2), spent


def main() -> None:
    """Print both errors at 0, 5 and 10 degrees, their largest difference, and both times."""
    size, n_angles = (int(a) for a in [*sys.argv[1:], "256", "360"][:2])
    beam, n_rows, n_cols = ideal(size)
    angles = np.arange(n_angles) * 2 * np.pi / n_angles
    solids = ellipsoids(size, beam.source_voxels)
    sinograms = scan(solids, beam, angles, n_rows, n_cols)
    ours, spent = timed(lambda: fdk(sinograms, angles, beam, size_px=size, mask=size / 2))
    theirs, rtk_spent = by_rtk(sinograms, beam, size, angles)
    first = (n_rows - size) // 2
    same = ours[first : first + size]
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    disc = x**2 + y**2 < (0.49 * size) ** 2
    worst = np.abs(same - theirs)[:, disc].max() / np.abs(theirs).max()
    print(
        f"largest difference {worst:.1e}; {spent:.1f} s for {n_rows} slices, RTK {rtk_spent:.1f}"
        f" s for {size}: {rtk_spent / size / (spent / n_rows):.1f} times a slice"
    )
    for degrees in (0, 5, 10):
        k = round((size - 1) / 2 + math.tan(math.radians(degrees)) * beam.source_voxels)
        exact = phantom_volume(solids, size, size, slice(k, k + 1), samples=4)[0]
        errors = [np.sqrt(np.mean((v[k] - exact)[disc] ** 2)) for v in (same, theirs)]
        print(f"{degrees:2d} degrees: {errors[0]:.6f}, RTK {errors[1]:.6f}")


if __name__ == "__main__":
    main()
