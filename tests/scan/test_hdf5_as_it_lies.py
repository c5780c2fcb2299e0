"""HDF5 scans as beamlines leave them: links, external files, virtual data, keys elsewhere."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from tests.scan import stacks

from tomobatch.errors import UserError
from tomobatch.scan.open import open_scan
from tomobatch.scan.settings import DatasetSettings

STACK = np.concatenate([stacks.DARKS, stacks.FLATS_BEFORE, stacks.PROJECTIONS])
KEY = np.repeat([2, 1, 0], [stacks.N_DARKS, stacks.N_FLATS, stacks.N_PROJECTIONS])
ANGLES = np.concatenate([np.zeros(stacks.N_DARKS + stacks.N_FLATS), stacks.THETA_DEG])
DETECTOR = "entry/instrument/detector"


def write(
    path: Path,
    pictures: Callable[[h5py.Group], None] | None = None,
    stack: np.ndarray = STACK,
    key: np.ndarray = KEY,
    entry: str = "entry",
) -> Path:
    """Write an NXtomo file whose pictures come as ``pictures`` puts them."""
    with h5py.File(path, "w") as file:
        detector = file.create_group(f"{entry}/instrument/detector")
        detector.attrs["NX_class"] = "NXdetector"
        if pictures is None:
            detector["data"] = stack
        else:
            pictures(detector)
        detector["image_key"] = key
        file[f"{entry}/sample/rotation_angle"] = ANGLES[: len(key)]
        file[f"{entry}/sample/rotation_angle"].attrs["units"] = "degree"
        plotted = file.create_group(f"{entry}/data")
        plotted["data"] = h5py.SoftLink(f"/{entry}/instrument/detector/data")
        plotted["image_key"] = h5py.SoftLink(f"/{entry}/instrument/detector/image_key")
    return path


def check(path: Path, datasets: DatasetSettings | None = None, n_flats: int = 3) -> tuple[str, ...]:
    """Check that the scan comes back, and return what is said of it."""
    with open_scan(path, datasets) as scan:
        assert scan.header.problems == ()
        found = scan.read_projections(0, scan.header.n_projections)
        np.testing.assert_array_equal(found, stacks.PROJECTIONS[: len(found)])
        assert len(found) == stacks.N_PROJECTIONS
        np.testing.assert_allclose(np.rad2deg(scan.header.angles_rad), stacks.THETA_DEG)
        assert scan.header.n_flats == n_flats
        np.testing.assert_array_equal(scan.flat_series()[0].frames, stacks.FLATS_BEFORE)
        np.testing.assert_array_equal(scan.darks(), stacks.DARKS)
        return scan.header.notes


def refusal(path: Path, datasets: DatasetSettings | None = None) -> str:
    with pytest.raises(UserError) as error:
        open_scan(path, datasets)
    assert "\n" not in str(error.value)
    return str(error.value)


def camera_file(path: Path, stack: np.ndarray = STACK) -> Path:
    path.parent.mkdir(exist_ok=True)
    with h5py.File(path, "w") as file:
        file["entry/data/frames"] = stack
    return path


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


def diamond(folder: Path, far_key: bool) -> Path:
    """Pictures by an external link in one group, the key in another."""
    camera_file(folder / "pco.h5")
    path = folder / "scan.nxs"
    link = h5py.ExternalLink("pco.h5", "/entry/data/frames")
    with h5py.File(path, "w") as file:
        file["entry1/tomo_entry/data/data"] = link
        file["entry1/tomo_entry/data/rotation_angle"] = ANGLES
        file["entry1/tomo_entry/data/rotation_angle"].attrs["units"] = "degrees"
        if far_key:
            file["entry1/instrument/image_key/image_key"] = KEY
        else:
            file["entry1/tomo_entry/instrument/detector/image_key"] = KEY
            file["entry1/tomo_entry/instrument/detector/data"] = link
    return path


@pytest.mark.parametrize("far_key", [True, False])
@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"projections": "/entry1/tomo_entry/data/data"},
        {"projections": "entry1/tomo_entry"},
    ],
)
def test_a_key_that_lies_elsewhere_in_the_entry(
    far_key: bool, keys: dict[str, str], tmp_path: Path
) -> None:
    assert check(diamond(tmp_path, far_key), DatasetSettings(**keys)) == ()


@pytest.mark.parametrize("with_projections", [True, False])
def test_a_key_of_another_name_is_named_in_the_config(
    with_projections: bool, tmp_path: Path
) -> None:
    path = diamond(tmp_path, True)
    with h5py.File(path, "r+") as file:
        file.move("entry1/instrument/image_key/image_key", "elsewhere/frame_types")
    chosen = {"projections": "entry1/tomo_entry/data/data"} if with_projections else {}
    datasets = DatasetSettings(image_key="/elsewhere/frame_types", **chosen)
    assert check(path, datasets) == ()


def test_pictures_that_end_before_their_key(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nx", stack=STACK[:-3])
    with open_scan(path) as scan:
        assert scan.header.n_projections == stacks.N_PROJECTIONS - 3
        np.testing.assert_allclose(np.rad2deg(scan.header.angles_rad), stacks.THETA_DEG[:-3])
        assert scan.header.notes == (
            "/entry/instrument/detector/data has 16 pictures, but"
            " /entry/instrument/detector/image_key has 19 values, as after an aborted scan: the"
            " first 16 of both are used",
        )


def test_a_key_that_ends_before_its_pictures(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nx", key=KEY[:-2])
    with open_scan(path) as scan:
        assert scan.header.n_projections == stacks.N_PROJECTIONS - 2
        assert "the first 17 of both are used" in scan.header.notes[0]


@pytest.mark.parametrize(
    ("flats", "name", "stack"),
    [
        ("flats.h5:/run/open", "run/open", stacks.FLATS_BEFORE),
        ("flats.h5", "any/where", stacks.FLATS_BEFORE),
        ("flats.h5", "exchange/data_white", stacks.FLATS_BEFORE),
        ("flats.h5:/all[4:7]", "all", STACK),
    ],
)
def test_flats_in_another_file(flats: str, name: str, stack: np.ndarray, tmp_path: Path) -> None:
    path = stacks.write_data_exchange(tmp_path / "a.h5", data_white=None)
    with h5py.File(tmp_path / "flats.h5", "w") as file:
        file[name] = stack
    assert check(path, DatasetSettings(flats=flats)) == ()


def test_flats_of_another_nxtomo_file(tmp_path: Path) -> None:
    path = stacks.write_data_exchange(tmp_path / "a.h5", data_white=None, data_dark=None)
    write(tmp_path / "b.nx")
    assert check(path, DatasetSettings(flats="b.nx", darks="b.nx")) == ()


def test_flats_in_a_file_that_is_missing(tmp_path: Path) -> None:
    path = stacks.write_data_exchange(tmp_path / "a.h5", data_white=None)
    told = refusal(path, DatasetSettings(flats="flats.h5:/open"))
    assert told == f"{tmp_path}/flats.h5: no such file (datasets.flats)"


def test_a_stack_without_a_key_is_cut_by_the_config(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["all"] = STACK
        file["angles"] = stacks.THETA_DEG
    datasets = DatasetSettings(
        projections="all[7:]", flats="all[4:7]", darks="all[0:4]", angles="angles"
    )
    assert check(path, datasets) == ()


@pytest.mark.parametrize("key", ["flats", "darks"])
def test_one_stack_has_one_role(key: str, tmp_path: Path) -> None:
    path = stacks.write_data_exchange(tmp_path / "a.h5")
    told = refusal(path, DatasetSettings(**{key: "/exchange/data"}))
    assert told.startswith(f"datasets.{key}: /exchange/data is taken for the projections already")


def test_a_fourth_axis_of_length_one(tmp_path: Path) -> None:
    path = stacks.write_data_exchange(tmp_path / "a.h5", data=stacks.PROJECTIONS[:, None])
    assert check(path, n_flats=6) == ()
