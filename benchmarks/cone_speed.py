"""How much faster than RTK's the back-projection and the whole FDK of a cone beam are, per core.

    python benchmarks/cone_speed.py [SIZE] [ANGLES] [ROUNDS] [ROUNDS OF THE WHOLE FDK]

Needs itk-rtk beside tomobatch. All take turns in one process, round after round, on the same
projections; processor time counts, as wall times on a shared machine are noise. What counts are the
medians of the ratios of a round. Back-projection is that of the whole cube, without a mask, of the
same rows; results are compared before any time is. Results stand in results/cone.md.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyopencl as cl
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from cone import by_rtk, rtk_inputs, timed
from tests.reconstruct.cone.cone_scans import ellipsoids, ideal, scan

from tomobatch.opencl.buffers import mapped
from tomobatch.opencl.devices import find_device
from tomobatch.reconstruct.cone import fdk
from tomobatch.reconstruct.cone.back_project import SlabProjector
from tomobatch.reconstruct.cone.geometry import ConeGeometry, make_cone_geometry
from tomobatch.reconstruct.cone.variants import choose_variant

CHUNKS = (128, 256)


def back_project_by_rtk(sinograms, beam, size, angles):
    """Back-project rows as they are into a cube, (z, y, x); seconds of a processor."""
    import itk
    from itk import RTK as rtk

    geometry, stack, empty = rtk_inputs(sinograms, beam, size, angles)
    back = rtk.FDKBackProjectionImageFilter[itk.Image[itk.F, 3], itk.Image[itk.F, 3]].New()
    back.SetInput(0, empty.GetOutput())
    back.SetInput(1, stack)
    back.SetGeometry(geometry)
    _, spent = timed(back.Update)
    return itk.array_from_image(back.GetOutput())[::-1].transpose(1, 0, 2), spent


class Slabs:
    """Our back-projection of the same rows, in chunks of slices; all buffers are made once."""

    def __init__(self, sinograms: NDArray[np.float32], geometry: ConeGeometry, chunk: int) -> None:
        size = geometry.slices.shape_px[0]
        first = (geometry.n_rows - size) // 2
        device = find_device("cpu")
        self.parts = []
        for start in range(first, first + size, chunk):
            variant = choose_variant(device, geometry, chunk)
            left, right = geometry.reach_px
            project = SlabProjector(
                device, geometry, start, start + chunk, left, right - left, variant
            )
            rows = project.batch(len(geometry.slices.angles_rad))
            with mapped(
                project.queue, rows.buffer, rows.shape, cl.map_flags.WRITE_INVALIDATE_REGION
            ) as held:
                held[...] = 0
                low, high = project.rows_out
                seen = slice(max(low, 0), min(high, geometry.n_rows))
                cols = slice(max(left, 0), min(right, geometry.slices.n_cols))
                held[
                    : sinograms.shape[1],
                    cols.start - left : cols.stop - left,
                    seen.start - low : seen.stop - low,
                ] = sinograms[seen, :, cols].transpose(1, 2, 0)
            self.parts.append((project, rows))
        self.chunk, self.n_angles = chunk, sinograms.shape[1]

    def run(self) -> None:
        """Back-project all angles into every chunk."""
        for project, rows in self.parts:
            project._is_first = True
            project(rows, 0, self.n_angles).wait()

    def cube(self) -> NDArray[np.float32]:
        """Return what was made, (z, y, x)."""
        slabs = []
        for project, _ in self.parts:
            volume = project.volume
            with mapped(project.queue, volume.buffer, volume.shape, cl.map_flags.READ) as made:
                slabs.append(np.moveaxis(made[..., : self.chunk], -1, 0).copy())
        return np.concatenate(slabs)


def spent(work: Callable[[], object]) -> float:
    """Return the processor time of some work."""
    return timed(work)[1]


def main(size: int = 256, n_angles: int = 360, rounds: int = 3, n_whole: int = 3) -> None:
    """Compare, take turns, and print medians and ratios."""
    beam, n_rows, n_cols = ideal(size)
    angles = np.arange(n_angles) * 2 * np.pi / n_angles
    sinograms = scan(ellipsoids(size, beam.source_voxels), beam, angles, n_rows, n_cols)
    geometry = make_cone_geometry(beam, angles, n_rows, n_cols, size_px=size, mask=False)
    slabs = {chunk: Slabs(sinograms, geometry, chunk) for chunk in CHUNKS if chunk <= size}
    for one in slabs.values():
        one.run()  # the first run builds the kernel for these sizes
    times: dict[str, list[float]] = {}
    gups = size**3 * n_angles / 1e9
    for turn in range(rounds):
        found, of_rtk = back_project_by_rtk(sinograms, beam, size, angles)
        ours = {f"chunks of {chunk}": spent(one.run) for chunk, one in slabs.items()}
        if turn == 0:
            for chunk, one in slabs.items():
                made = one.cube()
                scale = float(np.vdot(made, found) / np.vdot(made, made))
                worst = np.abs(scale * made - found).max() / np.abs(found).max()
                print(f"chunks of {chunk}: largest difference to RTK's {worst:.1e} of the largest")
        row = {"RTK": of_rtk, **ours}
        if turn < n_whole:
            whole = spent(lambda: fdk(sinograms, angles, beam, size_px=size, mask=size / 2))
            row["whole"] = whole * size / n_rows
            row["RTK whole"] = by_rtk(sinograms, beam, size, angles)[1]
        for name, seconds in row.items():
            times.setdefault(name, []).append(seconds)
        print(
            f"round {turn}, load {os.getloadavg()[0]:.1f}:",
            ", ".join(f"{name} {seconds:.2f} s" for name, seconds in row.items()),
            flush=True,
        )
    for name in [name for name in times if name.startswith("chunks")]:
        ratio = np.median(np.array(times["RTK"]) / np.array(times[name]))
        rate = gups / np.median(times[name])
        print(f"{name}: {rate:.2f} GUPS a core, {ratio:.1f} times RTK's")
    print(f"RTK: {gups / np.median(times['RTK']):.3f} GUPS a core")
    ratio = np.median(np.array(times["RTK whole"]) / np.array(times["whole"]))
    print(f"whole FDK, a slice: {ratio:.1f} times RTK's")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
