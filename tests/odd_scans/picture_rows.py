"""Folders and files of TIFFs as cameras, programs and people leave them."""

from pathlib import Path

import numpy as np
import tifffile
from tests.odd_scans.row import Row, Written
from tests.odd_scans.scene import Taken, counts
from tests.odd_scans.writers import (
    N_ANGLES,
    closed,
    numbered,
    taken,
    write_pictures,
    write_references,
)


def folder_of(
    folder: Path, scan: Taken, names: list[str] | None = None, **options: object
) -> Written:
    """Write projections of the given names, with folders of flats and darks among them."""
    path = folder / "scan"
    write_pictures(path, numbered(scan) if names is None else names, scan.projections, **options)
    write_references(path, scan)
    return Written(path, scan.scene)


def pages(folder: Path, *, imagej: bool) -> Written:
    scan, path = closed(), folder / "scan.tif"
    if imagej:
        tifffile.imwrite(path, counts(scan.projections), imagej=True, metadata={"axes": "ZYX"})
    else:
        with tifffile.TiffWriter(path, bigtiff=True) as file:
            for picture in counts(scan.projections):
                file.write(picture)
    write_references(folder, scan)
    return Written(path, scan.scene)


def check_pictures(folder: Path) -> Written:
    scan = taken()
    written = folder_of(folder, scan, numbered(scan, "rock_{:04d}.tif"))
    first = scan.projections[:1]
    write_pictures(written.path, ["rock_0deg.tif"], first)
    write_pictures(written.path, ["rock_180deg.tif"], first[..., ::-1])
    return written


def angles_in_names(folder: Path) -> Written:
    scan = taken()
    return folder_of(folder, scan, [f"rock_{angle:.4g}.tif" for angle in scan.angles_deg])


def of_a_mac(folder: Path) -> Written:
    written = folder_of(folder, closed())
    for picture in list(written.path.rglob("*.tif")):
        fork = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X" + bytes(64)
        (picture.parent / f"._{picture.name}").write_bytes(fork)
    return written


def one_of_another_size(folder: Path) -> Written:
    scan = closed()
    written = folder_of(folder, scan)
    write_pictures(written.path, ["p_0041.tif"], scan.projections[41:42, :, 5:-5])
    return written


def no_number(folder: Path) -> Written:
    scan = closed()
    written = folder_of(folder, scan)
    for name, picture in zip(numbered(scan), scan.projections.astype(np.float32), strict=True):
        if name == "p_0030.tif":
            picture[2, 33] = np.nan
        tifffile.imwrite(written.path / name, picture)
    return written


def stored_signed(folder: Path) -> Written:
    scan = closed()
    written = folder_of(folder, scan)
    for picture in written.path.rglob("*.tif"):
        values = tifffile.imread(picture).astype(np.int32) - 32768
        tifffile.imwrite(picture, values.astype(np.int16))
    return written


def single_references(folder: Path) -> Written:
    scan, path = closed(), folder / "scan"
    write_pictures(path, numbered(scan), scan.projections)
    write_pictures(path, ["flat.tif"], scan.flats[:1])
    write_pictures(path, ["dark.tif"], scan.darks[:1])
    return Written(path, scan.scene)


def table_of_angles(folder: Path) -> Written:
    scan = taken()
    written = folder_of(folder, scan)
    lines = [f"{i},{angle:.4f}" for i, angle in enumerate(scan.angles_deg)]
    (written.path / "angles.csv").write_text("\n".join(["picture,angle", *lines, ""]))
    return written


def white_rat(folder: Path) -> Written:
    scan, path = closed(), folder / "scan"
    write_pictures(path / "white_rat", numbered(scan), scan.projections)
    write_references(path, scan)
    return Written(path, scan.scene)


def one_series(folder: Path) -> Written:
    scan, path = closed(), folder / "scan"
    stack = np.concatenate([scan.darks, scan.flats, scan.projections, scan.flats])
    write_pictures(path, [f"bone{i + 1:04d}.tif" for i in range(len(stack))], stack)
    (path / "bone.log").write_text("10 darks, 10 flats, 100 projections, 10 flats\n")
    return Written(path, scan.scene)


def folders_of_imat(folder: Path) -> Written:
    scan, path = closed(), folder / "scan"
    for name, stack in (
        ("Tomo", scan.projections),
        ("Flat_Before", scan.flats),
        ("Flat_After", scan.flats),
        ("Dark_Before", scan.darks),
        ("180deg", scan.projections[-1:]),
    ):
        write_pictures(path / name, [f"{name}_{i:04d}.tif" for i in range(len(stack))], stack)
    return Written(path, scan.scene)


_ASSUMED = ("no angles: 0..180 degrees is assumed",)

ROWS = (
    Row("pages written one by one", lambda folder: pages(folder, imagej=False), words=_ASSUMED),
    Row("stack of ImageJ", lambda folder: pages(folder, imagej=True), words=_ASSUMED),
    Row("check pictures among the projections", check_pictures,
        words=("rock_0deg.tif", "rock_180deg.tif", "left out")),
    Row("angles with decimals in names", angles_in_names,
        words=("taken from the names of the pictures",)),
    Row("big-endian tiles in LZW", lambda folder: folder_of(
        folder, closed(), compression="lzw", byteorder=">", tile=(16, 16), predictor=True),
        words=_ASSUMED),
    Row("strangers of a Mac", of_a_mac, words=("100 hidden files", "left out")),
    Row("a picture of another size", one_of_another_size,
        words=("p_0041.tif: (4, 62)", "left out: 41")),
    Row("a pixel without a number", no_number, words=("1 pixel", "without a number")),
    Row("unsigned counts stored signed", stored_signed, words=_ASSUMED),
    Row("one flat and one dark", single_references, words=("single flat",), largest_rms=0.04),
    Row("angles in a table with a header", table_of_angles),
    Row("a sample called white rat", white_rat, words=_ASSUMED,
        sections={"datasets": {"projections": "white_rat"}}),
    Row("one numbered series", one_series, words=_ASSUMED, sections={"datasets": {
        "darks": "bone{0001..0010}.tif",
        "flats": ["bone{0011..0020}.tif", f"bone{{{N_ANGLES + 21:04d}..{N_ANGLES + 30:04d}}}.tif"],
        "projections": f"bone{{0021..{N_ANGLES + 20:04d}}}.tif"}}),
    Row("one numbered series, nothing said", one_series, "refused", ("datasets.flats",)),
    Row("folders of IMAT", folders_of_imat, words=_ASSUMED,
        sections={"datasets": {"projections": "Tomo"}}),
    Row("large letters and numbers without zeros", lambda folder: folder_of(
        folder, closed(), numbered(closed(), "P{}.TIF", 1)), words=_ASSUMED),
)  # fmt: skip
