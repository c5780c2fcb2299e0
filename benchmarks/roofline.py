"""The model of both methods on four GPUs, from counted bytes and operations.

``python benchmarks/roofline.py`` prints the tables of docs/explanation/roofline.md. Nothing is
measured here: ``tomobatch doctor --benchmark`` holds measured times against them.
"""

import numpy as np

from tomobatch.reconstruct.geometry import make_geometry
from tomobatch.reconstruct.methods import FBP
from tomobatch.reconstruct.model import GPUS, expected_ms, least_ms, slice_s

SIZES = ((512, 804), (1024, 1500), (2048, 1800))


def main() -> None:
    """Print the tables."""
    print("| GPU | method | arithmetic | memory | local memory | bus | host | bound by |")
    print("|---|---|---:|---:|---:|---:|---:|---|")
    largest = make_geometry(np.arange(1800) * np.pi / 1800, 2048)
    for gpu in GPUS:
        for method in FBP:
            limits = least_ms(gpu, largest, method)
            worst = max(limits, key=limits.__getitem__)
            cells = " | ".join(f"{value:.2f}" for value in limits.values())
            print(f"| {gpu.name} | {method} | {cells} | {worst} |")
    print("\n| GPU | method |", " | ".join(f"{n} px, {a} angles" for n, a in SIZES), "|")
    print("|---|---|" + "---|" * len(SIZES))
    for gpu in GPUS:
        for method in FBP:
            cells = []
            for n_px, n_angles in SIZES:
                geometry = make_geometry(np.arange(n_angles) * np.pi / n_angles, n_px)
                expected = expected_ms(gpu, geometry, method)
                whole = 1e3 * slice_s(gpu, geometry, method)
                cells.append(f"{whole:.2f} ({expected['device']:.2f} in kernels)")
            print(f"| {gpu.name} | {method} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
