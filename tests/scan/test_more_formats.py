"""EDF, FITS and Zeiss scans come back as they were taken."""

import struct
from pathlib import Path

import numpy as np
import pytest
from tests.scan import stacks
from tests.scan.compound_file import write_compound_file

from tomobatch.scan.header import AngleSource
from tomobatch.scan.open import open_scan
from tomobatch.scan.settings import DatasetSettings

N = stacks.N_PROJECTIONS
EDF_TYPES = {"u2": "UnsignedShort", "i4": "SignedInteger", "f4": "FloatValue", "f8": "DoubleValue"}


def write_edf(path: Path, picture: np.ndarray, order: str = "<") -> None:
    kind = f"{picture.dtype.kind}{picture.dtype.itemsize}"
    fields = {
        "HeaderID": "EH:000001:000000:000000",
        "ByteOrder": "LowByteFirst" if order == "<" else "HighByteFirst",
        "DataType": EDF_TYPES[kind],
        "Dim_1": picture.shape[1],
        "Dim_2": picture.shape[0],
        "Size": picture.nbytes,
        "motor_pos": "1.0 2.0 3.0",
    }
    text = "{\n" + "".join(f"{key} = {value} ;\n" for key, value in fields.items())
    text = text.ljust(1022) + "}\n"
    path.write_bytes(text.encode() + picture.astype(f"{order}{kind}").tobytes())


def write_fits(path: Path, picture: np.ndarray) -> None:
    """Write a picture as FITS: unsigned numbers as signed ones with an offset."""
    unsigned = picture.dtype.kind == "u" and picture.dtype.itemsize > 1
    bits = picture.dtype.itemsize * 8
    cards = [
        ("SIMPLE", "T"),
        ("BITPIX", str(-bits if picture.dtype.kind == "f" else bits)),
        ("NAXIS", "2"),
        ("NAXIS1", str(picture.shape[1])),
        ("NAXIS2", str(picture.shape[0])),
        ("COMMENT", "of no value = none"),
    ]
    if unsigned:
        cards += [("BSCALE", "1"), ("BZERO", f"{2 ** (bits - 1)}")]
        stored = (picture.astype(np.int64) - 2 ** (bits - 1)).astype(f">i{bits // 8}")
    else:
        stored = picture.astype(picture.dtype.newbyteorder(">"))
    text = "".join(f"{key:<8}= {value:>20} / note".ljust(80) for key, value in cards)
    text = (text + "END".ljust(80)).encode().ljust(2880)
    path.write_bytes(text + stored.tobytes() + bytes(-stored.nbytes % 2880))


def write_folder(folder: Path, suffix: str, write, dtype: str = "u2", **options: str) -> Path:
    for name, stack in (
        ("tomo", stacks.PROJECTIONS),
        ("flat", stacks.FLATS_BEFORE),
        ("dark", stacks.DARKS),
    ):
        folder.mkdir(exist_ok=True)
        for index, picture in enumerate(stack):
            write(folder / f"{name}_{index}{suffix}", picture.astype(dtype), **options)
    return folder


def check(path: Path, format_name: str, datasets: DatasetSettings | None = None) -> tuple[str, ...]:
    with open_scan(path, datasets) as scan:
        assert scan.header.format == format_name
        assert scan.header.problems == ()
        found = scan.read_projections(0, N)
        np.testing.assert_array_equal(found, stacks.PROJECTIONS)
        np.testing.assert_array_equal(scan.read_projections(3, 5, slice(1, 3)), found[3:5, 1:3])
        np.testing.assert_array_equal(scan.flat_series()[0].frames, stacks.FLATS_BEFORE)
        np.testing.assert_array_equal(scan.darks(), stacks.DARKS)
        return scan.header.notes


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", ["u2", "i4", "f4", "f8"])
def test_edf(dtype: str, order: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "a", ".edf", write_edf, dtype, order=order)
    assert check(folder, "EDF folder") == ()
    with open_scan(folder) as scan:
        assert scan.header.dtype == np.dtype(dtype)


@pytest.mark.parametrize("dtype", ["u2", "i4", "u4", "f4", "f8"])
def test_fits(dtype: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "a", ".fits", write_fits, dtype)
    assert check(folder, "FITS folder") == ()
    with open_scan(folder) as scan:
        assert scan.header.dtype == np.dtype(dtype)


@pytest.mark.parametrize(("suffix", "write"), [(".edf", write_edf), (".fits", write_fits)])
def test_a_damaged_picture_is_left_out(suffix: str, write, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "a", suffix, write)
    path = folder / f"tomo_4{suffix}"
    path.write_bytes(path.read_bytes()[:1030] if suffix == ".edf" else b"SIMPLE  =")
    with open_scan(folder) as scan:
        assert scan.header.n_projections == N - 1
        assert scan.header.notes[0].startswith(f"tomo_4{suffix}: ")


def test_an_esrf_scan_of_edf(tmp_path: Path) -> None:
    """References beside numbered pictures, of which the last ones are checks."""
    for index, picture in enumerate([*stacks.PROJECTIONS, *stacks.PROJECTIONS[[0, 6, 11]]]):
        write_edf(tmp_path / f"bone_{index:04d}.edf", picture)
    write_edf(tmp_path / "refHST0000.edf", stacks.FLATS_BEFORE[0])
    write_edf(tmp_path / "refHST0012.edf", stacks.FLATS_AFTER[0])
    write_edf(tmp_path / "ref0000_0000.edf", stacks.FLATS_BEFORE[1])
    write_edf(tmp_path / "dark.edf", stacks.DARKS[0])
    (tmp_path / "bone_.info").write_text(
        "Prefix= bone_\nEnergy= 19.5\nDistance= 50\nScanRange= 180\nTOMO_N= 12\nREF_ON= 12\n"
        "PixelSize= 0.65\n"
    )
    with open_scan(tmp_path) as scan:
        header = scan.header
        np.testing.assert_array_equal(scan.read_projections(0, N), stacks.PROJECTIONS)
        assert header.n_projections == N
        assert header.angle_source is AngleSource.FILE
        np.testing.assert_allclose(np.rad2deg(header.angles_rad), 15.0 * np.arange(N))
        assert (header.pixel_size_um, header.energy_kev) == (0.65, 19.5)
        assert [one.position for one in scan.flat_series()] == [0, N]
        np.testing.assert_array_equal(scan.flat_series()[1].frames[0], stacks.FLATS_AFTER[0])
        assert header.notes[0].startswith("3 pictures after the 12 projections of the scan are")


def txrm(path: Path, **changes: bytes | None) -> Path:
    flat = stacks.FLATS_BEFORE[0].astype("<f4")
    streams: dict[str, bytes | None] = {
        "ImageInfo/NoOfImages": struct.pack("<i", N),
        "ImageInfo/ImageWidth": struct.pack("<i", stacks.N_COLS),
        "ImageInfo/ImageHeight": struct.pack("<i", stacks.N_ROWS),
        "ImageInfo/DataType": struct.pack("<i", 5),
        "ImageInfo/Angles": stacks.THETA_DEG.astype("<f4").tobytes(),
        "ImageInfo/PixelSize": struct.pack("<f", 0.325),
        "ImageInfo/Energy": struct.pack("<f", 8.5),
        "ReferenceData/DataType": struct.pack("<i", 10),
        "ReferenceData/Image": flat[::-1].tobytes(),
    }
    for index, picture in enumerate(stacks.PROJECTIONS):
        streams[f"ImageData1/Image{index + 1}"] = picture[::-1].astype("<u2").tobytes()
    streams |= changes
    write_compound_file(path, {k: v for k, v in streams.items() if v is not None})
    return path


def test_a_zeiss_scan(tmp_path: Path) -> None:
    with open_scan(txrm(tmp_path / "a.txrm")) as scan:
        header = scan.header
        assert header.format == "Zeiss TXRM"
        np.testing.assert_array_equal(scan.read_projections(0, N), stacks.PROJECTIONS)
        np.testing.assert_array_equal(
            scan.read_projections(2, 4, slice(1, 3)), stacks.PROJECTIONS[2:4, 1:3]
        )
        np.testing.assert_array_equal(scan.flat_series()[0].frames[0], stacks.FLATS_BEFORE[0])
        np.testing.assert_allclose(np.rad2deg(header.angles_rad), stacks.THETA_DEG, atol=1e-4)
        assert header.pixel_size_um == pytest.approx(0.325)
        assert header.energy_kev == pytest.approx(8.5)


def test_a_zeiss_scan_that_was_ended_early(tmp_path: Path) -> None:
    lost = {f"ImageData1/Image{index + 1}": None for index in (10, 11)}
    with open_scan(txrm(tmp_path / "a.txrm", **lost)) as scan:
        assert scan.header.n_projections == N - 2
        assert scan.header.notes == ("2 of 12 projections were never written",)
