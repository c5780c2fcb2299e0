"""Pictures behind links, in external files and in virtual datasets."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from tests.scan import stacks
from tests.scan.hdf5_as_it_lies import KEY, STACK, camera_file, check, refusal, write

from tomobatch.scan.open import open_scan
from tomobatch.scan.settings import DatasetSettings

DETECTOR = "entry/instrument/detector"


def external(name: str) -> Callable[[h5py.Group], None]:
    def link(detector: h5py.Group) -> None:
        detector["data"] = h5py.ExternalLink(name, "/entry/data/frames")

    return link


def test_pictures_behind_an_external_link(tmp_path: Path) -> None:
    camera_file(tmp_path / "raw" / "camera.h5")
    assert check(write(tmp_path / "a.nxs", external("raw/camera.h5"))) == ()


def test_pictures_behind_a_chain_of_links(tmp_path: Path) -> None:
    camera_file(tmp_path / "camera.h5")
    with h5py.File(tmp_path / "middle.h5", "w") as file:
        file["here"] = h5py.ExternalLink("camera.h5", "/entry/data/frames")
        file["entry/data/frames"] = h5py.SoftLink("/here")
    assert check(write(tmp_path / "a.nxs", external("middle.h5"))) == ()


def test_an_external_file_that_is_missing_is_named(tmp_path: Path) -> None:
    told = refusal(write(tmp_path / "a.nxs", external("gone.h5")))
    assert f"/{DETECTOR}/data -> gone.h5:/entry/data/frames" in told


def test_groups_that_link_in_a_circle(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nxs")
    with h5py.File(path, "r+") as file:
        file["entry/sample/whole"] = h5py.SoftLink("/entry")
        file["entry/self"] = h5py.SoftLink("/")
    assert check(path) == ()


def master(folder: Path) -> Path:
    """A master file of two scans of one layout, in files whose addresses are the same."""
    write(folder / "one.nx")
    other = np.concatenate([stacks.DARKS, stacks.FLATS_BEFORE, stacks.PROJECTIONS[::-1]])
    write(folder / "two.nx", stack=other)
    with h5py.File(folder / "master.nx", "w") as file:
        file["1.1"] = h5py.ExternalLink("one.nx", "/entry")
        file["2.1"] = h5py.ExternalLink("two.nx", "/entry")
    return folder / "master.nx"


def test_a_master_of_two_scans_is_refused_with_the_choice(tmp_path: Path) -> None:
    path = master(tmp_path)
    assert refusal(path) == (
        f"{path}: holds 2 scans; choose one with datasets.projections:"
        " /1.1/instrument/detector/data, /2.1/instrument/detector/data"
    )


@pytest.mark.parametrize("named", ["/1.1", "1.1/", "/1.1/instrument/detector/data"])
def test_one_scan_of_a_master(named: str, tmp_path: Path) -> None:
    assert check(master(tmp_path), DatasetSettings(projections=named)) == ()


def test_the_other_scan_of_a_master(tmp_path: Path) -> None:
    with open_scan(master(tmp_path), DatasetSettings(projections="/2.1")) as scan:
        np.testing.assert_array_equal(
            scan.read_projections(0, stacks.N_PROJECTIONS), stacks.PROJECTIONS[::-1]
        )


def test_two_scans_that_share_a_camera_file_are_two(tmp_path: Path) -> None:
    camera_file(tmp_path / "camera.h5")
    first = np.where(np.arange(len(KEY)) % 2, KEY, 3)
    write(tmp_path / "one.nx", external("camera.h5"), key=first)
    write(tmp_path / "two.nx", external("camera.h5"))
    with h5py.File(tmp_path / "master.nx", "w") as file:
        file["a"] = h5py.ExternalLink("one.nx", "/entry")
        file["b"] = h5py.ExternalLink("two.nx", "/entry")
    assert "holds 2 scans" in refusal(tmp_path / "master.nx")


def virtual(folder: Path, n_parts: int = 3) -> Callable[[h5py.Group], None]:
    """Virtual pictures over several camera files."""

    def put(detector: h5py.Group) -> None:
        layout = h5py.VirtualLayout(STACK.shape, STACK.dtype)
        start = 0
        for index, part in enumerate(np.array_split(STACK, n_parts)):
            camera_file(folder / "raw" / f"part_{index}.h5", part)
            source = h5py.VirtualSource(f"raw/part_{index}.h5", "entry/data/frames", part.shape)
            layout[start : start + len(part)] = source
            start += len(part)
        detector.create_virtual_dataset("data", layout)

    return put


def test_virtual_pictures(tmp_path: Path) -> None:
    assert check(write(tmp_path / "a.nx", virtual(tmp_path))) == ()


@pytest.mark.parametrize("missing", [[0], [1], [2], [0, 1, 2]])
def test_virtual_pictures_with_a_file_missing_are_refused(
    missing: list[int], tmp_path: Path
) -> None:
    path = write(tmp_path / "a.nx", virtual(tmp_path))
    for index in missing:
        (tmp_path / "raw" / f"part_{index}.h5").unlink()
    told = refusal(path)
    assert f"lie in {len(missing)} other files, which are missing: copy them beside it" in told
    assert f"raw/part_{missing[0]}.h5" in told


def test_a_virtual_dataset_over_virtual_ones_with_a_file_missing(tmp_path: Path) -> None:
    write(tmp_path / "inner.nx", virtual(tmp_path))
    (tmp_path / "raw" / "part_1.h5").unlink()

    def put(detector: h5py.Group) -> None:
        layout = h5py.VirtualLayout(STACK.shape, STACK.dtype)
        layout[:] = h5py.VirtualSource("inner.nx", f"{DETECTOR}/data", STACK.shape)
        detector.create_virtual_dataset("data", layout)

    assert "raw/part_1.h5" in refusal(write(tmp_path / "outer.nx", put))


def test_a_source_that_lacks_the_dataset_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nx", virtual(tmp_path))
    with h5py.File(tmp_path / "raw" / "part_2.h5", "r+") as file:
        del file["entry/data/frames"]
    assert "raw/part_2.h5:entry/data/frames" in refusal(path)


def test_raw_files_of_an_external_dataset_that_are_missing(tmp_path: Path) -> None:
    def put(detector: h5py.Group) -> None:
        raw = tmp_path / "frames.raw"
        raw.write_bytes(STACK.tobytes())
        detector.create_dataset(
            "data", STACK.shape, STACK.dtype, external=[("frames.raw", 0, STACK.nbytes)]
        )

    path = write(tmp_path / "a.nx", put)
    (tmp_path / "frames.raw").unlink()
    assert "frames.raw" in refusal(path)
