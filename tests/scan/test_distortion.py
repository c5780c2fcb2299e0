"""The distortion of the detector's optics, on dots whose true places are known."""

import numpy as np
import pytest
from scipy import ndimage
from tests.scan import stacks

from tomobatch.config.schema import load_config
from tomobatch.config.sent import in_this_folder
from tomobatch.errors import UserError
from tomobatch.scan.distortion import UndistortedFrames, seen_at
from tomobatch.scan.distortion_settings import DistortionSettings, files_to_send, read_coefficients
from tomobatch.scan.open import open_scan
from tomobatch.scan.settings import DatasetSettings

SHAPE = (120, 160)
# A barrel that moves the corners by 6 px about a centre that is not the middle's.
BARREL = DistortionSettings(x_px=84.3, y_px=52.6, coefficients=(1.001, -2e-5, -4e-6))


class Held:
    """Pictures in memory."""

    name = "held"

    def __init__(self, pictures):
        self.pictures, self.shape, self.dtype = pictures, pictures.shape, pictures.dtype
        self.rows_read = []

    def read(self, start, stop, rows=slice(None)):
        self.rows_read.append(rows)
        return self.pictures[start:stop, rows]

    def sources(self):
        return list(range(len(self.pictures)))


def dots(columns, rows):
    """Draw dots of 3 px."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    picture = np.zeros(SHAPE)
    for column, row in zip(columns, rows, strict=True):
        picture += np.exp(-((x - column) ** 2 + (y - row) ** 2) / (2 * 1.5**2))
    return picture


def centroid(picture, column, row):
    """Return the centre of mass about a place."""
    x, y = round(column), round(row)
    part = picture[y - 7 : y + 8, x - 7 : x + 8]
    mass_y, mass_x = ndimage.center_of_mass(part)
    return x - 7 + mass_x, y - 7 + mass_y


def by_discorpy(picture, distortion):
    """Unwarp by the formula that discorpy states, with scipy's interpolation."""
    x = np.arange(SHAPE[1]) - distortion.x_px
    y = np.arange(SHAPE[0]) - distortion.y_px
    x, y = np.meshgrid(x, y)
    radius = np.sqrt(x**2 + y**2)
    factor = sum(k * radius**power for power, k in enumerate(distortion.coefficients))
    columns = np.clip(distortion.x_px + factor * x, 0, SHAPE[1] - 1)
    rows = np.clip(distortion.y_px + factor * y, 0, SHAPE[0] - 1)
    return ndimage.map_coordinates(picture, [rows, columns], order=1, mode="reflect")


def test_dots_come_to_where_they_are():
    grid_x, grid_y = (
        one.ravel() for one in np.meshgrid(np.arange(20, 145, 20), range(20, 105, 20))
    )
    x, y = grid_x - BARREL.x_px, grid_y - BARREL.y_px
    scale = np.polynomial.Polynomial(BARREL.coefficients)(np.hypot(x, y))
    seen_x, seen_y = BARREL.x_px + scale * x, BARREL.y_px + scale * y
    assert np.hypot(seen_x - grid_x, seen_y - grid_y).max() > 2
    distorted = (1000 + 50_000 * dots(seen_x, seen_y)).astype(np.uint16)
    mended = UndistortedFrames(Held(distorted[None]), BARREL).read(0, 1)[0] - 1000
    found = np.array([centroid(mended, *place) for place in zip(grid_x, grid_y, strict=True)])
    # Linear interpolation between pixels moves the middle of a dot of 3 px by less than this.
    np.testing.assert_allclose(found, np.stack([grid_x, grid_y], axis=1), atol=0.03)


def test_pixels_are_those_of_discorpys_formula():
    picture = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=SHAPE), 1) * 1000
    pictures = np.stack([picture, picture[::-1]]).astype(np.float32)
    made = UndistortedFrames(Held(pictures), BARREL).read(0, 2)
    for one, given in zip(made, pictures, strict=True):
        # Places are float32, to 1e-5 px here, between pixels that differ by some hundreds.
        np.testing.assert_allclose(one, by_discorpy(given.astype(float), BARREL), atol=1e-2)


def test_rows_do_not_show_where_they_were_read_apart_and_read_no_more_than_they_need():
    pictures = np.random.default_rng(1).integers(0, 60_000, (3, *SHAPE), np.uint16)
    held = Held(pictures)
    frames = UndistortedFrames(held, BARREL)
    whole = frames.read(0, 3)
    for start in range(0, SHAPE[0], 17):
        rows = slice(start, min(start + 17, SHAPE[0]))
        np.testing.assert_array_equal(frames.read(1, 3, rows), whole[1:3, rows])
        read = held.rows_read[-1]
        _, places = seen_at(BARREL, SHAPE, rows.start, rows.stop)
        assert read.stop - read.start <= np.ptp(places) + 3
    np.testing.assert_array_equal(frames.read(0, 1, slice(5, 100, 7)), whole[:1, 5:100:7])


def test_nothing_changes_without_distortion_and_saturation_stays():
    pictures = np.random.default_rng(1).integers(0, 60_000, (1, *SHAPE), np.uint16)
    same = DistortionSettings(x_px=80, y_px=60, coefficients=(1,))
    np.testing.assert_array_equal(UndistortedFrames(Held(pictures), same).read(0, 1), pictures)
    pictures[0, 60, 80] = 65_535
    moved = DistortionSettings(x_px=0, y_px=0, coefficients=(1.001,))
    made = UndistortedFrames(Held(pictures), moved).read(0, 1)[0]
    assert np.count_nonzero(made == 65_535) >= 4


def test_a_file_of_discorpy_gives_the_numbers_that_jobs_and_volume_have(tmp_path):
    path = tmp_path / "coefficients.txt"
    path.write_text("xcenter = 84.3\nycenter = 52.6\nfactor0 = 1.001\nfactor1 = -2e-05\n")
    config = {"scans": {"a": "a.h5"}, "datasets": {"distortion": {"file": str(path)}}}
    found = load_config(config).scans["a"].datasets.distortion
    assert (found.x_px, found.y_px, found.coefficients) == (84.3, 52.6, (1.001, -2e-05))
    path.unlink()
    assert DistortionSettings.model_validate(found.model_dump()) == found


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot be read"),
        ("xcenter = 3\n", "holds 1 numbers"),
        ("xcenter = a\n", "could not convert string to float: 'a'"),
    ],
)
def test_a_file_that_is_none_is_named(content, told, tmp_path):
    path = tmp_path / "coefficients.txt"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ValueError, match=f"coefficients.txt.*{told}"):
        read_coefficients(str(path))
    with pytest.raises(UserError, match=r"^config: datasets\.distortion: .*coefficients.txt"):
        load_config(
            {"scans": {"a": "a.h5"}, "datasets": {"distortion": {"file": str(path)}}},
        )


def test_a_scan_says_what_is_moved_and_refuses_what_no_lens_does(tmp_path):
    path = stacks.write_data_exchange(tmp_path / "a.h5")
    mild = {"x_px": 3, "y_px": 2, "coefficients": [1.0, 0.01]}
    with open_scan(path, DatasetSettings(distortion=mild)) as scan:
        (note,) = scan.header.notes
        assert scan.header.dtype == np.float32
        assert scan.header.counted_as == np.uint16
    # The corner is 13 square pixels from the centre: 0.01 of that are 0.2 px, beyond the edge.
    assert note.startswith("the distortion of the detector is corrected: pixels are moved by up to")
    assert "lie beyond the detector and repeat its edge" in note
    wild = {"x_px": 3, "y_px": 2, "coefficients": [2.0]}
    with pytest.raises(
        UserError, match=r"datasets\.distortion moves pixels by up to 4 px of 5 x 7"
    ):
        open_scan(path, DatasetSettings(distortion=wild))


def test_a_run_elsewhere_takes_the_file_along_if_it_is_in_the_folder():
    def named(file):
        return DistortionSettings(coefficients=(1,), file=file)

    assert files_to_send([named("b.txt"), named("optics/a.txt"), named(None), named("b.txt")]) == [
        "b.txt",
        "optics/a.txt",
    ]
    for outside in ("/optics/a.txt", "../a.txt"):
        with pytest.raises(
            UserError, match=r"^datasets\.distortion\.file: .*is not in this folder"
        ):
            files_to_send([named(outside)])
    with pytest.raises(UserError, match=r"^scans: \.\./scans.tsv is not in this .*copy it here$"):
        in_this_folder("scans", "../scans.tsv")
    assert in_this_folder("scans", "results-aws/scans.tsv") == "results-aws/scans.tsv"
