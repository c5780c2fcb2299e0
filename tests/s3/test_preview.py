"""A preview of a scan on S3 reads the rows that it needs, and little more."""

import h5py
import numpy as np
import obstore
import pytest
from tests.cli.calling import tomobatch
from tests.s3.test_read import BUCKET, bucket  # noqa: F401  a fixture

from tomobatch.phantom.write import write_phantom
from tomobatch.s3.read import open_store
from tomobatch.scan.open import open_scan

N_ROWS = 512
# Two rows on either side of one; again of the 35 projections, of so few, that are looked at before
# for angles, beam and its pattern. What else is read of the file comes in blocks.
SHARE_OF_PIXELS = 1.6 * 5 / N_ROWS
MOST_BLOCKS = 12


def write_tall(folder):
    """Write a scan whose detector has many rows, each eight like the eight before."""
    write_phantom(folder / "low.h5", size=96, n_rows=8, n_angles=90, n_flats=6, n_darks=6)
    with h5py.File(folder / "low.h5") as low, h5py.File(folder / "tall.h5", "w") as tall:
        for name in ("implements", "measurement", "process"):
            low.copy(name, tall)
        tall["exchange/theta"] = low["exchange/theta"][:]
        tall["exchange/theta"].attrs["units"] = "deg"
        for name in ("data", "data_white", "data_dark"):
            tall[f"exchange/{name}"] = np.tile(low[f"exchange/{name}"][:], (1, N_ROWS // 8, 1))
    return folder / "tall.h5"


def test_a_preview_reads_its_rows_by_range(bucket, tmp_path, monkeypatch):  # noqa: F811
    path = write_tall(tmp_path)
    obstore.put(open_store(f"s3://{BUCKET}"), "tall.h5", path.read_bytes())
    asked = {"blocks": 0, "pixels": 0}
    one, many = obstore.get_range, obstore.get_ranges

    def get_range(*args, **options):
        asked["blocks"] += 1
        return one(*args, **options)

    def get_ranges(*args, lengths, **options):
        asked["pixels"] += sum(lengths)
        return many(*args, lengths=lengths, **options)

    monkeypatch.setattr(obstore, "get_range", get_range)
    monkeypatch.setattr(obstore, "get_ranges", get_ranges)
    monkeypatch.chdir(tmp_path)
    arguments = ["--rows", "300", "--sweep", "filter=ramp,hann", "--output"]
    remote = tomobatch("preview", f"s3://{BUCKET}/tall.h5", *arguments, "remote.html")
    assert remote.code == 0, remote.err
    assert asked["pixels"] < SHARE_OF_PIXELS * path.stat().st_size
    assert asked["blocks"] <= MOST_BLOCKS
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    here = tomobatch("preview", "tall.h5", *arguments, "here.html")
    assert here.code == 0, here.err
    axes = [said.out.split(" px")[0] for said in (remote, here)]
    assert axes[0] == axes[1]


def test_a_band_of_a_dataset_is_the_one_that_h5py_reads(bucket, tmp_path):  # noqa: F811
    path = write_tall(tmp_path)
    obstore.put(open_store(f"s3://{BUCKET}"), "band.h5", path.read_bytes())
    with open_scan(path) as here, open_scan(f"s3://{BUCKET}/band.h5") as there:
        for rows in (slice(3, 8), slice(0, 1), slice(500, None), slice(None), slice(4, 40, 9)):
            np.testing.assert_array_equal(
                there.read_projections(7, 20, rows), here.read_projections(7, 20, rows)
            )
        crop = there.cropped(slice(10, 30))
        assert crop.header.n_rows == 20
        np.testing.assert_array_equal(
            crop.read_projections(2, 4, slice(5, 9)), here.read_projections(2, 4, slice(15, 19))
        )
        np.testing.assert_array_equal(crop.darks(), here.darks()[:, 10:30])
        with pytest.raises(OSError, match=r"band\.h5: "):
            there.parts.projections._band(10**9, slice(0, 1), 0, 5)
