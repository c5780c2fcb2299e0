"""Angles in text files beside a scan."""

import re
from pathlib import Path

import numpy as np
import pytest
from tests.scan import stacks
from tests.scan.tiff_as_it_lies import N, refusal, write_scan

from tomobatch.errors import UserError
from tomobatch.scan.angle_files import read_angles_beside
from tomobatch.scan.open import open_scan
from tomobatch.scan.settings import DatasetSettings


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("angles.csv", "index,angle\n{rows:,}", None),
        ("angles.csv", "angle [deg],current\n{wors:,}", None),
        ("angles.txt", "# number degrees\n{rows: }", None),
        ("angles.csv", "{rows:;}", None),
        ("my.tsv", "n\trotation\n{rows:\t}", "my.tsv"),
        ("my.csv", "a,b\n{wors:,}", "my.csv:a"),
        ("my.csv", "a,b\n{wors:,}", "my.csv:1"),
        ("log.txt", "start\n{words}", "log.txt"),
    ],
)
def test_files_of_angles(name: str, text: str, wanted: str | None, tmp_path: Path) -> None:
    folder = write_scan(tmp_path / "a")
    degrees = 11.5 * np.arange(N)
    separator = text[-2]
    rows = "\n".join(f"{i}{separator}{angle}" for i, angle in enumerate(degrees))
    wors = "\n".join(f"{angle}{separator}{100 - i * i}" for i, angle in enumerate(degrees))
    words = "\n".join(
        f"Projection: {i} angle: {angle} counts 17" for i, angle in enumerate(degrees)
    )
    content = re.sub(r"\{rows:.\}", rows, text)
    content = re.sub(r"\{wors:.\}", wors, content).replace("{words}", words)
    (folder / name).write_text(content)
    with open_scan(folder, DatasetSettings(angles=wanted)) as scan:
        np.testing.assert_allclose(np.rad2deg(scan.header.angles_rad), degrees)


def test_columns_that_cannot_be_told_apart_are_named(tmp_path: Path) -> None:
    folder = write_scan(tmp_path / "a")
    rows = "\n".join(f"{i * i},{i * 3}" for i in range(N))
    (folder / "angles.csv").write_text(f"a,b\n{rows}\n")
    assert "has 2 columns (a, b), and no telling which are the angles" in refusal(folder)


def test_angles_of_a_text_file_for_an_hdf5_scan(tmp_path: Path) -> None:
    path = stacks.write_data_exchange(tmp_path / "a.h5", theta=None)
    np.savetxt(tmp_path / "stage.txt", 12.5 * np.arange(N))
    with open_scan(path, DatasetSettings(angles="stage.txt")) as scan:
        np.testing.assert_allclose(np.rad2deg(scan.header.angles_rad), 12.5 * np.arange(N))


def test_a_scan_on_s3_has_no_angles_beside_it() -> None:
    with pytest.raises(UserError, match=r"angles.csv:theta is not read on S3.*angle_range_deg$"):
        read_angles_beside("s3://bucket/scans/a.h5", "angles.csv:theta")
