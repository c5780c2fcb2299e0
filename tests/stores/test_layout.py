from dataclasses import replace

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from tomobatch.normalise.divided import no_references
from tomobatch.stores.files import write_bytes
from tomobatch.stores.layout import projections_layout, sinograms_layout
from tomobatch.stores.read import open_array, read_sinograms
from tomobatch.stores.references import load_references, save_references


def write_all(layout, root, values):
    """Write an array as its jobs do: metadata apart, every shard by itself, last one first."""
    write_bytes(root / "zarr.json", layout.metadata())
    size = layout.shard_shape[0]
    for index in reversed(range(-(-layout.shape[0] // size))):
        path = root / "c" / layout.key(index)
        layout.write_shard(index, values[index * size : (index + 1) * size], path)


def random(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@settings(max_examples=20, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9)),
    chunk_projections=st.integers(1, 9),
    chunk_slices=st.integers(1, 9),
)
def test_shards_written_apart_read_as_one_array(
    tmp_path_factory, shape, chunk_projections, chunk_slices
):
    root = tmp_path_factory.mktemp("store") / "projections.zarr"
    layout = projections_layout(*shape, chunk_projections, chunk_slices)
    values = random(shape)
    write_all(layout, root, values)
    np.testing.assert_array_equal(zarr.open_array(root, mode="r")[:], values)
    start, stop = shape[1] // 2, shape[1]
    sinograms = read_sinograms(open_array(str(root / "zarr.json")), start, stop)
    np.testing.assert_array_equal(sinograms, values[:, start:stop].transpose(1, 0, 2))


def test_a_shard_is_one_file_even_when_all_zero(tmp_path):
    layout = sinograms_layout(4, 6, 5, 3)
    path = tmp_path / "sinograms.zarr" / "c" / layout.key(1)
    layout.write_shard(1, np.zeros((3, 4, 5), np.float32), path)
    files = [found for found in tmp_path.rglob("*") if found.is_file()]
    assert files == [path]


def test_what_does_not_fit_or_is_not_finite_leaves_nothing(tmp_path):
    layout = sinograms_layout(4, 6, 5, 3)
    path = tmp_path / "c" / layout.key(0)
    with pytest.raises(ValueError, match=r"expected an array of \(3, 4, 5\)"):
        layout.write_shard(0, np.zeros((2, 4, 5), np.float32), path)
    bad = np.zeros((3, 4, 5), np.float32)
    bad[1, 2, 3] = np.nan
    with pytest.raises(ValueError, match="1 values are not finite"):
        layout.write_shard(0, bad, path)
    assert not list(tmp_path.iterdir())


def test_a_process_job_reads_one_inner_chunk_of_every_shard():
    layout = projections_layout(100, 50, 64, chunk_projections=32, chunk_slices=16)
    assert layout.chunk_shape == (32, 16, 64)
    assert layout.shard_shape == (32, 64, 64)


@pytest.mark.parametrize(("n_projections", "piece"), [(100, 64), (64, 64), (30, 64), (128, 64)])
def test_sinograms_that_are_read_a_few_angles_at_a_time(tmp_path, n_projections, piece):
    layout = sinograms_layout(n_projections, 6, 5, 4, chunk_angles=piece)
    assert layout.chunk_shape == (1, min(piece, n_projections), 5)
    values = random((6, n_projections, 5))
    write_all(layout, tmp_path / "sinograms.zarr", values)
    read = open_array(str(tmp_path / "sinograms.zarr" / "zarr.json"))
    np.testing.assert_array_equal(read[:, 20:], values[:, 20:])


@pytest.mark.parametrize("offsets", [None, np.array([0.0, 0.1], np.float32)])
def test_references_come_back_as_they_were(tmp_path, offsets):
    saved = replace(no_references((3, 4)), offsets=offsets, warnings=("odd",), saturation=4095.0)
    save_references(tmp_path / "references.h5", saved)
    read = load_references(tmp_path / "references.h5")
    for name, value in vars(saved).items():
        if name != "drift":
            np.testing.assert_array_equal(getattr(read, name), value)
    assert read.drift.intensities == saved.drift.intensities
