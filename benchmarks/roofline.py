"""The roofline of both methods on four GPUs, from counted bytes and operations.

``python benchmarks/roofline.py`` prints the table of docs/explanation/roofline.md. Nothing is
measured here: these are lower bounds on time, and what they say about block sizes.
"""

import math
from dataclasses import dataclass

from tomobatch.reconstruct.fft import even_fast_length
from tomobatch.reconstruct.fourier import STANDARD

N_PX, N_ANGLES, LANES = 2048, 1800, 16
# Side of a tile: of the slice in direct back-projection, of the grid in spreading.
SIDE, TILE = 16, 16


@dataclass(frozen=True)
class Gpu:
    """Figures of the maker; the bus is what a pinned copy reaches of its generation."""

    name: str
    tflops: float
    memory_gb_s: float
    units: int
    clock_ghz: float
    bus_gb_s: float
    l2_mb: int
    memory_gb: int

    @property
    def local_gb_s(self) -> float:
        """Local memory gives 128 bytes a clock and unit."""
        return 128 * self.units * self.clock_ghz


GPUS = (
    Gpu("T4", 8.1, 320, 40, 1.59, 12, 4, 16),
    Gpu("A10G", 31.2, 600, 72, 1.70, 24, 6, 24),
    Gpu("L4", 30.3, 300, 58, 2.04, 24, 48, 24),
    Gpu("H100", 66.9, 3350, 132, 1.98, 50, 50, 80),
)


@dataclass(frozen=True)
class Work:
    """What one slice asks for: 10^9 operations and 10^9 bytes of each kind of memory."""

    flops: float
    memory: float
    local: float

    def ms(self, gpu: Gpu) -> dict[str, float]:
        """Return the least time by each limit."""
        return {
            "arithmetic": self.flops / gpu.tflops,
            "memory": 1e3 * self.memory / gpu.memory_gb_s,
            "local": 1e3 * self.local / gpu.local_gb_s,
        }


def direct(gpu: Gpu) -> Work:
    """Two multiply-adds and two local reads an update; strips of the rows loaded by every tile."""
    updates = math.pi / 4 * N_PX**2 * N_ANGLES
    rows = 4 * N_ANGLES * math.sqrt(2) * N_PX
    strip = 4 * (SIDE * math.sqrt(2) + 3) / SIDE**2
    # What the tiles at work at one time share comes from main memory once: a wave is about four
    # groups a unit, and reaches over nearly all columns.
    waves = (N_PX / SIDE) ** 2 * math.pi / 4 / (4 * gpu.units)
    from_memory = min(waves * rows, updates * strip)
    filtering = 3 * 4 * N_ANGLES * 2 * N_PX
    return Work(
        4e-9 * updates,
        1e-9 * (from_memory + filtering + 3 * 4 * N_PX**2),
        8e-9 * updates,
    )


def fourier(gpu: Gpu) -> Work:
    """Rows, samples, grid and slice each cross main memory once a pass."""
    length = 2 * N_PX
    side = even_fast_length(math.ceil(STANDARD.oversampling * N_PX))
    samples = N_ANGLES * length / 2
    taps = STANDARD.width**2
    halo = ((TILE + STANDARD.width) / TILE) ** 2
    rows_fft = N_ANGLES * 2.5 * length * math.log2(length)
    grid_fft = 2.5 * side * math.log2(side) * (side + N_PX)
    traffic = (
        4 * N_ANGLES * N_PX  # rows in
        + 3 * 8 * samples  # spectra out, in, samples out
        + 8 * samples * halo
        + 4 * side**2  # spreading
        + 2 * 4 * side * (side + N_PX)  # two passes of the transform
        + 2 * 4 * N_PX**2  # cut
    )
    flops = rows_fft + grid_fft + 4 * samples * taps * halo
    return Work(1e-9 * flops, 1e-9 * traffic, 1e-9 * 16 * taps * samples * halo)


def main() -> None:
    """Print the tables."""
    print("| GPU | method | arithmetic | memory | local memory | bus | bound by |")
    print("|---|---|---:|---:|---:|---:|---|")
    bus_bytes = 4 * N_ANGLES * N_PX + 4 * N_PX**2
    for gpu in GPUS:
        for count in (direct, fourier):
            limits = count(gpu).ms(gpu) | {"bus": 1e-6 * bus_bytes / gpu.bus_gb_s}
            worst = max(limits, key=limits.__getitem__)
            cells = " | ".join(f"{value:.2f}" for value in limits.values())
            print(f"| {gpu.name} | {count.__name__} | {cells} | {worst} |")


if __name__ == "__main__":
    main()
