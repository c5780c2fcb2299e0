"""Phase retrieval beside nabu and algotom: equality, errors against a known object, and time.

Prints a page of Markdown: ``python benchmarks/phase.py > benchmarks/results/phase.md``, in an
environment that has nabu as well. All take turns in one process; what counts is the processor time,
of all cores, the least of the rounds.

nabu's is Paganin's filter, in doubles, on a picture of twice the size. algotom has another filter,
of Fresnel's propagator, which is timed beside them.
"""

import math
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy
from algotom.prep.filtering import fresnel_filter, make_fresnel_window
from nabu.preproc.phase import PaganinPhaseRetrieval

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.phase.test_retrieve import error, seen

from tomobatch.cores import n_usable_cores
from tomobatch.phase.blur import PhaseBlur
from tomobatch.phase.retrieve import retrieve_phase

ROUNDS, PICTURES = 3, 4
SIZES = ((1024, 1024), (2048, 2048), (2160, 2560))
LENGTH_PX, PIXEL_M, ENERGY_KEV, DISTANCE_M = 12.0, 1e-6, 20.0, 0.05
RATIO = 4 * math.pi * (LENGTH_PX * PIXEL_M) ** 2 / (12.398419843e-10 / ENERGY_KEV * DISTANCE_M)
BLUR = PhaseBlur("paganin", LENGTH_PX, fresnel_number=0.3)
OBJECTS = (
    ("PMMA", "C5H8O2", 1.18, 20, 1.0, 50),
    ("SiO2", "SiO2", 2.2, 30, 1.0, 50),
    ("Al", "Al", 2.7, 40, 2.0, 100),
    ("H2O", "H2O", 1.0, 25, 6.0, 1000),
)


def by_nabu(shape: tuple[int, int], padding: str) -> PaganinPhaseRetrieval:
    """Return nabu's filter, of the strength of ours."""
    return PaganinPhaseRetrieval(
        shape,
        distance=DISTANCE_M,
        energy=ENERGY_KEV,
        delta_beta=RATIO,
        pixel_size=PIXEL_M,
        padding=padding,
    )


def ours_padded(picture: np.ndarray, nabu: PaganinPhaseRetrieval, mode: str) -> np.ndarray:
    """Return our line integrals of a transmission, continued beyond its edges as nabu does."""
    above, left = nabu.pad_top_len, nabu.pad_left_len
    edges = ((above, nabu.pad_bottom_len), (left, nabu.pad_right_len))
    stack = -np.log(np.pad(picture, edges, mode=mode))[np.newaxis].astype(np.float32)
    retrieve_phase(stack, BLUR)
    return stack[0, above : above + picture.shape[0], left : left + picture.shape[1]]


def equality() -> list[str]:
    """Return lines on how far line integrals are from nabu's, with nabu's padding."""
    rng = np.random.default_rng(0)
    slow = scipy.ndimage.gaussian_filter(rng.normal(size=(300, 400)), 20)
    picture = (np.exp(8 * slow) / np.exp(8 * slow).max() + 0.02 * rng.random(slow.shape)).astype(
        np.float32
    )
    lines = [
        "| padding | largest difference | of line integrals up to |",
        "|---|---:|---:|",
    ]
    for padding in ("edge", "symmetric"):
        nabu = by_nabu(picture.shape, padding)
        theirs = -np.log(nabu.apply_filter(picture))
        ours = ours_padded(picture, nabu, padding)
        lines.append(f"| {padding} | {np.abs(ours - theirs).max():.1e} | {theirs.max():.1f} |")
    return lines


def errors() -> list[str]:
    """Return lines on errors against a known object behind which Fresnel's integral propagates."""
    lines = [
        "| material | tomobatch, % | nabu (edge, its default), % |",
        "|---|---:|---:|",
    ]
    for name, formula, density, energy_kev, pixel_um, distance_mm in OBJECTS:
        thickness, measured, blur, mu = seen(formula, density, energy_kev, pixel_um, distance_mm)
        wavelength_um = 12.398419843e-4 / energy_kev
        ratio = 4 * math.pi * (blur.length_px * pixel_um) ** 2 / (wavelength_um * distance_mm * 1e3)
        nabu = PaganinPhaseRetrieval(
            thickness.shape, distance_mm * 1e-3, energy_kev, ratio, pixel_um * 1e-6
        )
        theirs = -np.log(nabu.apply_filter(np.exp(-measured[0])))[np.newaxis]
        retrieve_phase(measured, blur)
        found = (100 * error(thickness, one, mu) for one in (measured, theirs))
        lines.append(f"| {name} | " + " | ".join(f"{value:.2f}" for value in found) + " |")
    return lines


def timed(shape: tuple[int, int]) -> dict[str, tuple[float, float]]:
    """Return processor and wall milliseconds a projection, from transmission to line integrals."""
    pictures = np.random.default_rng(1).uniform(0.3, 1, (PICTURES, *shape)).astype(np.float32)
    nabu, window = by_nabu(shape, "edge"), make_fresnel_window(*shape, 100, 2)

    def of_tomobatch() -> None:
        # It starts from line integrals, and takes their exponential itself.
        retrieve_phase(pictures.copy(), BLUR)

    def of_nabu() -> None:
        for one in pictures:
            np.log(nabu.apply_filter(one))

    def of_algotom() -> None:
        for one in pictures:
            fresnel_filter(one, 100, 2, window)

    works: dict[str, Callable[[], None]] = {
        "tomobatch": of_tomobatch,
        "nabu": of_nabu,
        "algotom": of_algotom,
    }
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            start, start_wall = time.process_time(), time.perf_counter()
            work()
            took[name].append((time.process_time() - start, time.perf_counter() - start_wall))
    ms = 1e3 / PICTURES
    return {
        name: (ms * min(cpu for cpu, _ in all_), ms * statistics.median(wall for _, wall in all_))
        for name, all_ in took.items()
    }


def main() -> None:
    """Print the page."""
    print("# Phase retrieval\n")
    print(
        f"`python benchmarks/phase.py`, on {n_usable_cores()} cores; scipy {scipy.__version__}.\n"
    )
    print("Equal to nabu's filter where the picture is continued as nabu continues it:\n")
    print("\n".join(equality()))
    print("\nrms error, % of the mean thickness of spheres, each by its own edges:\n")
    print("\n".join(errors()))
    print("\nms a projection: of all cores' time, and by the wall (on a machine that others use)\n")
    print("| rows x columns | tomobatch | nabu | algotom |")
    print("|---|---:|---:|---:|")
    for shape in SIZES:
        row = timed(shape)
        cells = (f"{cpu:.0f}, {wall:.0f}" for cpu, wall in row.values())
        print(f"| {shape[0]} x {shape[1]} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
