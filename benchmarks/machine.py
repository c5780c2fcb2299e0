"""What this machine is and what it can do at most."""

import platform
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tomobatch.cores import n_usable_cores
from tomobatch.opencl.devices import Device
from tomobatch.reconstruct.fft import in_parallel


def describe(device: Device) -> dict[str, object]:
    """Return what a reader needs to place the figures."""
    cpu = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text().splitlines()
        cpu = next((line.split(":")[1].strip() for line in lines if "model name" in line), cpu)
    return {
        "cpu": cpu,
        "threads": n_usable_cores(),
        "device": device.description,
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def sgemm_gflops(n: int = 2048, rounds: int = 5) -> float:
    """Return the rate of a large float32 matrix product, the practical peak of arithmetic."""
    a = np.random.default_rng(0).random((n, n), dtype=np.float32)
    return 2e-9 * n**3 / _least_s(lambda: a @ a, rounds)


def triad_gb_s(n: int = 2**26, rounds: int = 5) -> float:
    """Return the rate of ``a = b + s c`` over arrays far beyond the caches, in GB/s."""
    a, b, c = (np.ones(n, np.float32) for _ in range(3))

    def triad(part: slice) -> None:
        np.multiply(c[part], np.float32(3), out=a[part])
        np.add(a[part], b[part], out=a[part])

    # Parts that stay in the cache between the two steps: main memory sees b, c and a once.
    return 3e-9 * a.nbytes / _least_s(lambda: in_parallel(triad, n, 2**15), rounds)


def _least_s(work: Callable[[], object], rounds: int) -> float:
    """Return CPU seconds over the number of threads, as for what is compared with the peaks."""

    def once() -> float:
        start = time.process_time()
        work()
        return (time.process_time() - start) / n_usable_cores()

    return min(once() for _ in range(rounds))
