"""Counts as they come: types and codecs, beams and flats that change, frames that are none."""

from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
from tests.odd_scans.row import Row, Written
from tests.odd_scans.scene import DARK, counts, take
from tests.odd_scans.writers import N_COLS, N_ROWS, scene, taken, write_dx

# What is tried is the reading alone.
_AS_READ = {"stripes": {"method": "none"}}


def plain(folder: Path, cast: Any = counts, photons: float = 20_000, **filters: Any) -> Written:
    return write_dx(folder / "scan.h5", taken(photons=photons), cast, **filters)


def compressed(folder: Path, **filters: Any) -> Written:
    return plain(folder, chunks=(1, N_ROWS, N_COLS), **filters)


def eight_bits(folder: Path) -> Written:
    """A camera of 256 levels: some 30 photons a count."""
    scan = taken(photons=5000)
    less = {
        name: np.clip((getattr(scan, name) - DARK) / 30 + 6, 0, 255)
        for name in ("projections", "flats", "darks")
    }
    return write_dx(
        folder / "scan.h5", scan.changed(**less), lambda stack: counts(stack).astype("u1")
    )


def dead_block(folder: Path) -> Written:
    scan = taken()
    for stack in (scan.flats, scan.projections):
        stack[:, 1:3, 20:23] = 0
        stack[:, :, 50] = DARK
    return write_dx(folder / "scan.h5", scan)


def saturated(folder: Path) -> Written:
    scan = take(scene(photons=5200))
    cut = {name: np.minimum(getattr(scan, name), 4095) for name in ("flats", "projections")}
    return write_dx(folder / "scan.h5", scan.changed(**cut))


def two_levels(folder: Path) -> Written:
    return write_dx(folder / "scan.h5", take(scene(), (1.0, 0.7)))


def other_exposure(folder: Path) -> Written:
    scan = taken()
    return write_dx(folder / "scan.h5", scan.changed(flats=DARK + (scan.flats - DARK) / 2))


def strange_references(folder: Path, which: str) -> Written:
    scan = taken()
    if which == "flats":
        scan.flats[4] = scan.darks[4]
    else:
        scan.darks[:2] = scan.flats[:2]
    return write_dx(folder / "scan.h5", scan)


def without(folder: Path, name: str) -> Written:
    written = plain(folder)
    with h5py.File(written.path, "a") as file:
        del file[f"exchange/{name}"]
    return written


def one_flat(folder: Path) -> Written:
    scan = taken()
    return write_dx(folder / "scan.h5", scan.changed(flats=scan.flats[:1]))


def blank_end(folder: Path) -> Written:
    scan = taken()
    scan.projections[70:] = 0
    return write_dx(folder / "scan.h5", scan)


def normalised(folder: Path, *, logarithm: bool) -> Written:
    scan = take(scene(), faults=False)
    beam, dark = scan.flats.mean(axis=0), scan.darks.mean(axis=0)
    seen = ((scan.projections - dark) / (beam - dark)).astype(np.float32)
    with h5py.File(folder / "scan.h5", "w") as file:
        file["exchange/data"] = -np.log(seen) if logarithm else seen
        file["exchange/theta"] = scan.angles_deg
    return Written(folder / "scan.h5", scan.scene)


def as_sinograms(folder: Path) -> Written:
    scan = taken()
    swapped = {
        name: getattr(scan, name).swapaxes(0, 1) for name in ("projections", "flats", "darks")
    }
    return write_dx(folder / "scan.h5", scan.changed(**swapped))


def with_a_fourth_axis(folder: Path) -> Written:
    written = plain(folder)
    with h5py.File(written.path, "a") as file:
        pictures = file["exchange/data"][:]
        del file["exchange/data"]
        file["exchange/data"] = pictures[:, None]
    return written


ROWS = (
    Row("big-endian counts", lambda folder: plain(folder, lambda a: counts(a).astype(">u2")),
        sections=_AS_READ),
    Row("counts of 32 bits", lambda folder: plain(
        folder, lambda a: np.rint(a * 3000).astype("u4")), sections=_AS_READ),
    Row("big-endian floats", lambda folder: plain(folder, lambda a: a.astype(">f8")),
        sections=_AS_READ),
    Row("bitshuffle and lz4", lambda folder: compressed(
        folder, **hdf5plugin.Bitshuffle(cname="lz4")), sections=_AS_READ),
    Row("zstd", lambda folder: compressed(folder, **hdf5plugin.Zstd()), sections=_AS_READ),
    Row("blosc", lambda folder: compressed(folder, **hdf5plugin.Blosc()), sections=_AS_READ),
    Row("lzf", lambda folder: compressed(folder, compression="lzf", shuffle=True),
        sections=_AS_READ),
    Row("counts of 8 bits", eight_bits, largest_rms=0.2),
    Row("dead block and dead column", dead_block),
    Row("saturated at 12 bits", saturated, "warned", ("saturated at 4095",)),
    Row("flats of two levels in one stack", two_levels,
        words=("2 levels", "-30", "changed by 30%")),
    Row("flats of half the exposure", other_exposure, "warned",
        ("times as bright as the flats", "normalise.flat_scale")),
    Row("flats of half the exposure, said so", other_exposure,
        sections={"normalise": {"flat_scale": 2.0}}),
    Row("a dark among the flats", lambda folder: strange_references(folder, "flats"),
        words=("1 of the 10 flats", "left out: 4")),
    Row("flats among the darks", lambda folder: strange_references(folder, "darks"),
        words=("2 of 10 darks", "left out: 0, 1")),
    Row("one flat", one_flat, words=("single flat",), largest_rms=0.04),
    Row("no darks", lambda folder: without(folder, "data_dark"), words=("no darks",)),
    Row("no flats", lambda folder: without(folder, "data_white"), "refused",
        ("datasets.flats", "normalise.input")),
    Row("blank pictures at the end", blank_end, "warned",
        ("the last 30 of 100 projections are blank", "left out", "unseen")),
    Row("transmission", lambda folder: normalised(folder, logarithm=False),
        sections={"normalise": {"input": "transmission"}}),
    Row("line integrals", lambda folder: normalised(folder, logarithm=True),
        sections={"normalise": {"input": "line_integrals"}}),
    Row("stored as sinograms", as_sinograms, "refused", ("stored as sinograms",)),
    Row("pictures with a fourth axis", with_a_fourth_axis),
)  # fmt: skip
