"""Run every kernel on a simulated device and print a line of JSON a case; ``mutants``: broken ones.

Shapes are small and odd: a simulated work-item takes some ten thousand times as long as a real one.
"""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyopencl as cl
import pytest
from tests.reconstruct import numpy_transforms
from tests.simulator.mutants import MUTANTS, broken
from tests.simulator.oclgrind import LOG

from tomobatch.normalise import normalise
from tomobatch.normalise import selftest as of_normalise
from tomobatch.opencl.check import KernelCheck, compare
from tomobatch.opencl.devices import Device, find_device, list_devices
from tomobatch.reconstruct import selftest as of_slices
from tomobatch.reconstruct.cone import selftest as of_cones
from tomobatch.reconstruct.direct import DirectEngine
from tomobatch.reconstruct.fourier import FourierEngine
from tomobatch.reconstruct.geometry import make_geometry
from tomobatch.reconstruct.iterative import selftest as of_iterations
from tomobatch.reconstruct.iterative.methods import ITERATIONS
from tomobatch.reconstruct.twin import fbp_twin
from tomobatch.reconstruct.variants import Variant, image, local, tiles

N_ANGLES, N_COLS = 3, 13
SMALL = (N_ANGLES, N_COLS)
FEW, TURN = np.array([0.0, 1.5, 2.5]), np.arange(0.1, 6.3, 0.31)
SHAPES = {
    "a region": {"mask": False, "roi": (1, 0, 9, 11)},
    "a small disk in a wide slice": {"size_px": 19, "mask": 4.0},
    "binned by 2": {"binning": 2},
    "half acquisition": {"half_acquisition": True},
}
NARROW_TILE = (1, 64, 16)
"""As on a CPU, one work-item a group, with a tile that fits the simulator's local memory."""


def every_case(device: Device) -> Iterator[KernelCheck]:
    """Check what ``doctor`` does, and shapes that leave groups, blocks and tiles part filled."""
    yield from of_slices.check_kernels(device, SMALL)
    yield from of_cones.check_kernels(device, (5, *SMALL))
    yield from of_normalise.check_kernels(device, (2, 9, 11))
    yield from odd_shapes(device)
    as_cpu = replace(device, kind="cpu")
    for lanes in (4, 8):
        check = of_slices._check_fourier(as_cpu, lanes, False, SMALL)
        yield replace(check, options=f"{check.options}, as on a CPU")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(normalise._GROUPS, "cpu", NARROW_TILE)
        check = of_normalise._check(as_cpu, "uint16", 0.3, (2, 9, 11))
        yield replace(check, options=f"{check.options}, as on a CPU")


def odd_shapes(device: Device) -> Iterator[KernelCheck]:
    """Check blocks that are not full, of slices of odd shapes, by every variant."""
    for name, options in SHAPES.items():
        binning = options.get("binning", 1)
        memory = int(device.cl_device.local_mem_size)
        for variant in (tiles(4), local(4, binning, memory), image()):
            yield check_shape(device, name, options, variant)
        for shared in (False, True):
            yield check_shape(device, name, options, shared)
        around = "half_acquisition" in options
        geometry = make_geometry(TURN if around else FEW, N_COLS, **options)
        for method in ITERATIONS:
            for cut in (of_iterations.tiles(4), of_iterations.rays(4)):
                check = of_iterations.check_method(device, geometry, method, cut)
                yield replace(check, options=f"{check.options}, {name}")


def check_shape(device: Device, name: str, options: dict, how: Variant | bool) -> KernelCheck:
    """Compare three slices in a block of four with the reference."""
    by_direct = isinstance(how, Variant)

    def run() -> tuple[np.ndarray, np.ndarray]:
        random = np.random.default_rng(1)
        around = "half_acquisition" in options
        angles = TURN if around else FEW
        sinograms = random.normal(size=(3, len(angles), N_COLS)).astype(np.float32)
        geometry = make_geometry(angles, N_COLS, **options)
        if by_direct:
            engine = DirectEngine(device, geometry, 4, variant=how)
        else:
            engine = FourierEngine(device, geometry, 4, shared=how)
        cors, found = np.array([6.2, 5.0, 7.1]), np.empty((3, *geometry.shape_px), np.float32)
        engine(sinograms, cors, found)
        finer = of_slices.SAMPLES_PER_PX if by_direct else 16
        twin = [
            fbp_twin(one, geometry, cor, samples_per_px=finer)
            for one, cor in zip(sinograms, cors, strict=True)
        ]
        return found, np.array(twin)

    kernel = how.name if by_direct else "fourier"
    shared = "" if by_direct else f", {'a group' if how else 'one work-item'} a tile"
    tolerance = of_slices.DIRECT_TOLERANCE if by_direct else of_slices.FOURIER_TOLERANCE
    return compare(kernel, f"{name}{shared}", tolerance, run)


def every_mutant(device: Device) -> Iterator[KernelCheck]:
    """Run each kernel that was broken on purpose."""
    for name, mutant in MUTANTS.items():
        with broken(mutant):
            check = of_slices._check_direct(device, 4, mutant.variant, SMALL)
        yield replace(check, options=name)


def main() -> None:
    """Print what came of each case, and what the simulator had to say during it."""
    # The wheel of pyopencl would load the PoCL that it holds; it says where as it is imported.
    os.environ["PYOPENCL_HOME"] = os.environ["OCL_ICD_VENDORS"]
    numpy_transforms.stand_in(pytest.MonkeyPatch())
    assert [one.name for one in list_devices()] == ["Oclgrind Simulator"], cl.get_platforms()
    device = find_device()
    log = Path(os.environ[LOG])
    heard = 0
    for check in every_mutant(device) if "mutants" in sys.argv else every_case(device):
        said = log.read_text()
        line = {
            "case": f"{check.kernel}: {check.options}",
            "passed": check.passed,
            "error": repr(check.error),
            "problem": check.problem,
            "said": said[heard:],
        }
        heard = len(said)
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
