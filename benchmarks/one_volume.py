"""Whether direct and Fourier reconstruction give one volume: noise, edges, difference, by size.

Prints a page of Markdown: ``python benchmarks/one_volume.py > benchmarks/results/one-volume.md``.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.reconstruct.noise_and_edges import (
    disc,
    edge_width_px,
    half_turn,
    inside,
    noise_power,
    white_noise,
)

from tomobatch.reconstruct.slices import fbp

SIZES = (256, 362, 512, 724, 1024, 1448, 2048)
METHODS = ("direct", "fourier")


def row(n_px: int) -> str:
    """Return the line of one size."""
    rows, angles, cor_px = white_noise(n_px)
    noisy = [fbp(rows, angles, cor_px, method=name, device="cpu")[0] for name in METHODS]
    kept = inside(n_px)
    direct, fourier = (image[kept].std() for image in noisy)
    power = noise_power(noisy[0]) / noise_power(noisy[1])
    apart = (noisy[0] - noisy[1])[kept].std() / fourier
    sinogram, distance_px = disc(n_px, half_turn(n_px))
    edges = [
        edge_width_px(fbp(sinogram, half_turn(n_px), method=name, device="cpu")[0], distance_px)
        for name in METHODS
    ]
    bands = ", ".join(percent(ratio) for ratio in power)
    return (
        f"| {n_px} | {len(angles)} | {direct:.4f} | {fourier:.4f} | {percent(direct / fourier)}"
        f" | {bands} | {100 * apart:.1f} | {edges[0]:.2f} | {edges[1]:.2f} |"
    )


def percent(ratio: float) -> str:
    """Return by how much a ratio differs from one."""
    return f"{100 * (ratio - 1):+.1f}"


HEAD = (
    "columns", "angles", "noise: direct", "Fourier", "apart, %", "by band, %",
    "noise of the difference, %", "edge: direct, px", "Fourier, px",
)  # fmt: skip
print("# One volume, by either method\n")
print(f"{datetime.now(UTC):%Y-%m-%d}. One sinogram of white noise of variance 1 about an axis")
print("between two columns, and the exact one of a disc; ramp filter, OpenCL on a CPU. Noise:")
print("standard deviation of the slice within 0.9 of the field's radius; its power in four bands")
print(
    "of spatial frequency up to half a cycle a pixel, direct against Fourier. Edge: width at half"
)
print("height of the slope of the disc's mean profile, in steps of 0.05 px. The tests hold noise")
print("and edges to 2 %, each band to 5 %.\n")
print(f"| {' | '.join(HEAD)} |")
print(f"|{'--:|' * len(HEAD)}")
for size in SIZES:
    print(row(size), flush=True)
