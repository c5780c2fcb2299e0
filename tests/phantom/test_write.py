"""The demo scan: its file, its physics, its truth."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from tomobatch.errors import UserError
from tomobatch.phantom import acquire
from tomobatch.phantom.project import line_integrals
from tomobatch.phantom.truth import Truth, read_truth
from tomobatch.phantom.write import write_phantom

SIZE, N_ROWS, N_ANGLES = 64, 24, 40


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    path = tmp_path_factory.mktemp("demo") / "demo.h5"
    return path, write_phantom(path, size=SIZE, n_rows=N_ROWS, n_angles=N_ANGLES, seed=3)


def arrays(path: Path) -> dict[str, np.ndarray]:
    with h5py.File(path) as file:
        return {name: file[f"exchange/{name}"][:] for name in ("data", "data_white", "data_dark")}


def test_truth_comes_back_from_the_file(demo: tuple[Path, Truth]) -> None:
    path, truth = demo
    with h5py.File(path) as file:
        found = read_truth(file)
        cor_px = file["tomobatch_truth/cor_px"][:]
    assert found is not None
    for name, value in vars(truth).items():
        np.testing.assert_equal(getattr(found, name), value)
    np.testing.assert_array_equal(cor_px, truth.cor_of_rows_px())
    assert abs(truth.cor_px - (SIZE - 1) / 2) > 0.5
    assert abs(truth.tilt_deg) > 0.1
    assert truth.n_zingers > 0


def test_a_file_of_no_demo_scan_has_no_truth(real_scan: Path) -> None:
    with h5py.File(real_scan) as file:
        assert read_truth(file) is None


def test_the_seed_alone_decides_the_counts(
    demo: tuple[Path, Truth], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = {"size": SIZE, "n_rows": N_ROWS, "n_angles": N_ANGLES}
    # Pieces of one projection instead of all in one.
    monkeypatch.setattr(acquire, "_PIECE_MB", 0)
    write_phantom(tmp_path / "same.h5", **size, seed=3)
    write_phantom(tmp_path / "other.h5", **size, seed=4)
    first, same, other = (
        arrays(path) for path in (demo[0], tmp_path / "same.h5", tmp_path / "other.h5")
    )
    for name, counts in first.items():
        np.testing.assert_array_equal(same[name], counts)
        assert (other[name] != counts).mean() > 0.5


def test_counts_are_line_integrals_through_beam_and_noise(demo: tuple[Path, Truth]) -> None:
    path, truth = demo
    counts = {name: stack.astype(float) for name, stack in arrays(path).items()}
    dark = counts["data_dark"].mean(axis=0)
    before, after = np.split(counts["data_white"], 2)
    share = ((np.arange(N_ANGLES) + 0.5) / N_ANGLES)[:, None, None]
    beam = (1 - share) * before.mean(axis=0) + share * after.mean(axis=0) - dark
    good = np.ones((N_ROWS, SIZE), bool)
    for pixel in (*truth.hot, *truth.dead):
        good[tuple(pixel)] = False
    for first, stop, column in truth.stripes:
        good[first:stop, column] = False
    assert 0.5 < good.mean() < 1
    thetas = np.deg2rad(np.arange(N_ANGLES) * 180 / N_ANGLES)
    exact = np.stack(
        [
            line_integrals(
                truth.solids,
                theta,
                n_rows=N_ROWS,
                n_cols=SIZE,
                cor_px=truth.cor_px,
                tilt_deg=truth.tilt_deg,
            )
            for theta in thetas
        ]
    )
    assert 1.5 < exact.max() < 3.5
    signal = counts["data"] - dark
    found = -np.log(np.maximum(signal[:, good], 1) / beam[:, good])
    error = found - exact[:, good]
    assert np.median(error) == pytest.approx(0, abs=0.001)
    # Photon noise of the projection, and of the 20 flats on either side.
    expected = np.sqrt(1 / signal[:, good] + 1 / (20 * beam[:, good]))
    normal = error / expected
    inner = normal[np.abs(normal) < 5]
    assert inner.size > 0.999 * normal.size
    assert inner.std() == pytest.approx(1.0, abs=0.05)


def test_faults_are_where_the_truth_says(demo: tuple[Path, Truth]) -> None:
    path, truth = demo
    counts = arrays(path)
    for stack in counts.values():
        assert (stack[:, *truth.hot.T] == 2**16 - 1).all()
        assert (stack[:, *truth.dead.T] == 0).all()
    assert len(truth.stripes) >= 4
    white = counts["data_white"].astype(float)
    before, after = white[:20].mean(), white[20:].mean()
    assert after / before == pytest.approx(0.96, abs=0.01)


def test_a_stripe_bends_the_line_integrals_of_its_column(demo: tuple[Path, Truth]) -> None:
    path, truth = demo
    counts = arrays(path)
    dark = counts["data_dark"].mean(axis=0)
    beam = counts["data_white"].mean(axis=0) - dark
    paths = -np.log(np.maximum(counts["data"] - dark, 1) / np.maximum(beam, 1)).mean(axis=0)
    # Against the columns beside it, the mean over all angles shows a constant stripe alone.
    roughness = np.abs(paths[:, 1:-1] - (paths[:, :-2] + paths[:, 2:]) / 2)
    striped = np.zeros(paths.shape, bool)
    for first, stop, column in truth.stripes:
        striped[first:stop, column] = True
    inner = striped[:, 1:-1]
    assert np.median(roughness[inner]) > 2 * np.median(roughness[~inner])


def test_nothing_is_left_when_writing_fails(tmp_path: Path) -> None:
    def stop(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_phantom(tmp_path / "demo.h5", size=16, n_angles=4, progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_progress_ends_at_one(tmp_path: Path) -> None:
    shares: list[float] = []
    write_phantom(tmp_path / "demo.h5", size=16, n_angles=4, progress=shares.append)
    assert shares[-1] == 1.0
    assert [item.name for item in tmp_path.iterdir()] == ["demo.h5"]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(UserError, match=r"demo\.h5: cannot write the demo scan: .*file") as error:
        write_phantom(tmp_path / "file" / "demo.h5", size=16, n_angles=4)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"size": 8}, "size is 8; it must be at least 16"),
        ({"n_rows": 0}, "n_rows is 0; it must be at least 1"),
        ({"n_angles": 1}, "n_angles is 1; it must be at least 2"),
    ],
)
def test_values_that_make_no_scan(values: dict[str, int], message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        write_phantom(tmp_path / "demo.h5", **values)
    assert list(tmp_path.iterdir()) == []
