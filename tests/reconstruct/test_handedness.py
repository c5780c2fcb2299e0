"""A volume shows the sample, and not its mirror image.

The scan is made from three beads and a turning stage in the laboratory, by rotation matrices alone:
a person at the source looks along the beam, sees x to the right and h upwards, and the camera's
first row on top. The beads have no mirror symmetry.
"""

import h5py
import numpy as np
import pytest
from tests.in_process import reconstruct

from tomobatch.errors import UserError
from tomobatch.orientation import Orientation
from tomobatch.scan.open import open_scan

N_COLS, N_ROWS, N_ANGLES = 48, 16, 72
# Right of the axis, towards the person, up; in pixels, with the weight by which a bead is known.
BEADS = {1.0: (14.0, 3.0, 5.0), 2.0: (-4.0, 12.0, -1.0), 4.0: (-8.0, -9.0, -5.0)}
SOURCE_PX = 150.0
MAGNIFICATION = 3.0


def seen_at(turn_rad, place, *, cone):
    """Return column and row of a bead once the stage has turned, counter-clockwise from above."""
    right, near, up = place
    cos, sin = np.cos(turn_rad), np.sin(turn_rad)
    # From above, with the person below: right is right, near is down.
    x, towards = right * cos + near * sin, near * cos - right * sin
    scale = SOURCE_PX / (SOURCE_PX - towards) if cone else 1.0
    return (N_COLS - 1) / 2 + scale * x, (N_ROWS - 1) / 2 - scale * up


def write_scan(path, *, counter_clockwise, cone=False, vector=None):
    angles = np.linspace(0, 2 * np.pi, N_ANGLES, endpoint=False)
    rows, cols = np.mgrid[:N_ROWS, :N_COLS]
    counts = np.full((N_ANGLES, N_ROWS, N_COLS), 0.0)
    for i, angle in enumerate(angles):
        for weight, place in BEADS.items():
            u, v = seen_at(angle if counter_clockwise else -angle, place, cone=cone)
            counts[i] += 0.1 * weight * np.exp(-((cols - u) ** 2 + (rows - v) ** 2) / 4)
    flat = np.full((2, N_ROWS, N_COLS), 40_000.0)
    stack = np.concatenate([0 * flat, flat, 40_000 * np.exp(-counts)]).round().astype(np.uint16)
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry")
        entry["instrument/detector/data"] = stack
        entry["instrument/detector/image_key"] = [2, 2, 1, 1] + [0] * N_ANGLES
        turned = entry.create_dataset(
            "sample/rotation_angle", data=np.r_[0, 0, 0, 0, np.rad2deg(angles)]
        )
        turned.attrs["units"] = "deg"
        if vector is not None:
            turned.attrs.update(vector=vector, transformation_type="rotation")
        if cone:
            pixel_mm = 0.1
            distance = SOURCE_PX * pixel_mm / MAGNIFICATION
            for name, length in (
                ("source/distance", distance),
                ("detector/distance", distance * (MAGNIFICATION - 1)),
                ("detector/x_pixel_size", pixel_mm),
                ("detector/y_pixel_size", pixel_mm),
            ):
                entry[f"instrument/{name}"] = length
                entry[f"instrument/{name}"].attrs["units"] = "mm"
    return path


def found_beads(volume):
    """Return where each bead is seen in the volume: right, near if the slice is seen from above."""
    places = {}
    middle = (N_COLS - 1) / 2
    for weight, (_, _, up) in BEADS.items():
        z = round((N_ROWS - 1) / 2 - up)
        near_it = volume[z - 1 : z + 2].mean(axis=0)
        y, x = np.unravel_index(np.argmax(near_it), near_it.shape)
        places[weight] = (x - middle, y - middle)
    return places


def agrees(found, mirrored=False):
    sign = -1 if mirrored else 1
    return all(
        np.hypot(x - BEADS[weight][0], y - sign * BEADS[weight][1]) < 1.5
        for weight, (x, y) in found.items()
    )


AXIS = {"calibrate": {"cor_px": (N_COLS - 1) / 2, "tilt_deg": 0.0}, "stripes": {"method": "none"}}


@pytest.mark.parametrize(
    ("rotation", "cone"),
    [("counter-clockwise", False), ("counter-clockwise", True), ("clockwise", True)],
)
def test_a_slice_is_the_sample_seen_from_above(tmp_path, rotation, cone):
    scan = write_scan(
        tmp_path / "scan.nx", counter_clockwise=rotation == "counter-clockwise", cone=cone
    )
    done = reconstruct(tmp_path / "out", scan, {**AXIS, "datasets": {"rotation": rotation}})
    assert agrees(found_beads(done.volume))
    shows = done.attributes["tomobatch"]["shows"]
    assert (shows["handedness"], shows["rotation"]) == ("true", rotation)
    assert shows["rotation_source"] == "config"


def test_a_clockwise_turn_that_is_taken_for_the_other_gives_a_mirror_image(tmp_path):
    scan = write_scan(tmp_path / "scan.nx", counter_clockwise=False)
    done = reconstruct(tmp_path / "out", scan, AXIS)
    assert agrees(found_beads(done.volume), mirrored=True)
    assert done.attributes["tomobatch"]["shows"]["rotation_source"] == "assumed"


@pytest.mark.parametrize(
    ("vector", "counter_clockwise"), [((0, 1, 0), True), ((0, -1, 0), False), ((0, 0, -1), False)]
)
def test_what_a_file_says_of_its_axis_is_taken(tmp_path, vector, counter_clockwise):
    scan = write_scan(
        tmp_path / "scan.nx", counter_clockwise=counter_clockwise, vector=np.array(vector, float)
    )
    with open_scan(scan) as opened:
        header = opened.header
    assert header.rotation == ("counter-clockwise" if counter_clockwise else "clockwise")
    assert header.rotation_source == "file"


def test_an_axis_that_lies_says_nothing(tmp_path):
    vector = np.array([1.0, 0, 0])
    scan = write_scan(tmp_path / "scan.nx", counter_clockwise=True, vector=vector)
    with open_scan(scan) as opened:
        assert opened.header.rotation_source == "assumed"


@pytest.mark.parametrize("name", ["algotom", "astra", "nabu", "scikit-image"])
@pytest.mark.parametrize("rotation", ["counter-clockwise", "clockwise"])
def test_peers_mirror_what_turns_counter_clockwise(name, rotation):
    shown = Orientation(name, rotation, "config")
    assert shown.flips_rows
    assert shown.is_mirror_image == (rotation == "counter-clockwise")


def test_algotom_shows_a_sinogram_as_its_convention_does(tmp_path):
    from algotom.rec.reconstruction import fbp_reconstruction

    scan = write_scan(tmp_path / "scan.nx", counter_clockwise=True)
    done = reconstruct(tmp_path / "out", scan, {**AXIS, "volume": {"orientation": "algotom"}})
    row = 8  # of the bead that weighs 2
    with h5py.File(scan) as file:
        counts = file["entry/instrument/detector/data"][4:, row].astype(float)
    angles = np.linspace(0, 2 * np.pi, N_ANGLES, endpoint=False)
    sinogram = -np.log(counts / 40_000)
    cor = (N_COLS - 1) / 2
    half = N_ANGLES // 2
    theirs = fbp_reconstruction(
        sinogram[:half], cor, angles=angles[:half], apply_log=False, gpu=False, ncore=1
    )
    found = np.unravel_index(np.argmax(theirs), theirs.shape)
    ours = np.unravel_index(np.argmax(done.volume[row]), theirs.shape)
    assert np.hypot(*np.subtract(found, ours)) < 1.5


def test_a_region_is_the_part_of_the_slice_that_is_shown(tmp_path):
    scan = write_scan(tmp_path / "scan.nx", counter_clockwise=False)
    given = {**AXIS, "datasets": {"rotation": "clockwise"}}
    whole = reconstruct(tmp_path / "whole", scan, given).volume
    assert agrees(found_beads(whole))
    x, y, width, height, binning = 3, 7, 31, 20, 3
    shape = {"roi_px": [x, y, width, height], "binning": binning, "method": "direct"}
    part = reconstruct(tmp_path / "part", scan, {**given, "reconstruct": shape}).volume
    cut = whole[:, y : y + height, x : x + width]
    ny, nx = height // binning, width // binning
    cut = cut[:, : ny * binning, : nx * binning].reshape(N_ROWS, ny, binning, nx, binning)
    expected = cut.mean(axis=(2, 4))
    # Means of pixels are sampled at fewer points than there are, so that the two differ a little.
    assert np.corrcoef(part.ravel(), expected.ravel())[0, 1] > 0.98


def test_a_peers_convention_for_a_cone_is_refused(tmp_path):
    scan = write_scan(tmp_path / "scan.nx", counter_clockwise=True, cone=True)
    with pytest.raises(UserError, match=r"volume\.orientation: nabu is that of parallel beams"):
        reconstruct(tmp_path / "out", scan, {"volume": {"orientation": "nabu"}})
