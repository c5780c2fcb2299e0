import json

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from ome_zarr_models.v05.image import Image

from tomobatch.beam import ConeBeam
from tomobatch.stores.files import write_bytes
from tomobatch.stores.volume import VolumeLayout, halve
from tomobatch.stores.volume_writer import open_chunk


def write_volume(root, layout, values, block=3, *, backwards=True):
    write_bytes(root / "zarr.json", layout.group_metadata("scan", (-0.1, 0.4)))
    for level in range(layout.n_levels):
        write_bytes(root / str(level) / "zarr.json", layout.array(level).metadata())
    for index, start in enumerate(range(0, layout.n_slices, layout.chunk_slices)):
        chunk = values[start : start + layout.chunk_slices]
        paths = [root / str(level) / "c" / f"{index}/0/0" for level in range(layout.n_levels)]
        with open_chunk(layout, index, paths) as writer:
            # The last block first, as when several devices share the work; gone once written.
            starts = list(range(0, len(chunk), block))
            for first in reversed(starts) if backwards else starts:
                slices = chunk[first : first + block].copy()
                writer.write(first, slices)
                slices[...] = np.nan


@settings(max_examples=25, deadline=None)
@given(
    n_slices=st.integers(1, 20),
    width=st.integers(1, 20),
    chunk_slices=st.integers(1, 20),
    n_levels=st.integers(1, 4),
    block=st.integers(1, 9),
    backwards=st.booleans(),
)
def test_the_levels_of_all_chunks_make_one_pyramid(
    tmp_path_factory, n_slices, width, chunk_slices, n_levels, block, backwards
):
    root = tmp_path_factory.mktemp("volume")
    layout = VolumeLayout(n_slices, width, width, min(chunk_slices, n_slices), n_levels)
    values = np.random.default_rng(1).normal(size=(n_slices, width, width)).astype(np.float32)
    write_volume(root, layout, values, block, backwards=backwards)
    np.testing.assert_array_equal(zarr.open_array(root / "0", mode="r")[:], values)
    for level in range(1, n_levels):
        finer = zarr.open_array(root / str(level - 1), mode="r")[:]
        coarse = zarr.open_array(root / str(level), mode="r")[:]
        factor = layout.z_factor(level) // layout.z_factor(level - 1)
        expected = mean_of_blocks(finer.astype(np.float64), (factor, 2, 2))
        np.testing.assert_allclose(coarse, expected, atol=1e-6)


def mean_of_blocks(values, factors):
    """Average blocks as halve does, by counting what each block holds."""
    padded = [(0, -size % factor) for size, factor in zip(values.shape, factors, strict=True)]
    sums, counts = np.pad(values, padded), np.pad(np.ones_like(values), padded)
    for axis, factor in enumerate(factors):
        starts = np.arange(0, sums.shape[axis], factor)
        sums = np.add.reduceat(sums, starts, axis)
        counts = np.add.reduceat(counts, starts, axis)
    return sums / counts


@pytest.mark.parametrize("pixel_size_um", [None, 2.5])
def test_the_volume_is_valid_ome_zarr_with_its_places_right(tmp_path, pixel_size_um):
    layout = VolumeLayout(8, 12, 12, 4, 3, pixel_size_um)
    write_volume(tmp_path, layout, np.ones((8, 12, 12), np.float32))
    image = Image.from_zarr(zarr.open_group(tmp_path, mode="r"))
    scales = [
        dataset.coordinateTransformations[0].scale
        for dataset in image.ome_attributes.multiscales[0].datasets
    ]
    pixel = pixel_size_um or 1.0
    assert scales == [[pixel * 2**level] * 3 for level in range(3)]
    window = json.loads((tmp_path / "zarr.json").read_text())["attributes"]["ome"]["omero"]
    factor = 1.0 if pixel_size_um is None else 1e4 / pixel_size_um
    assert window["channels"][0]["window"]["end"] == pytest.approx(0.4 * factor)


@pytest.mark.parametrize(("chunk", "factors"), [(32, [1, 2, 4]), (7, [1, 1, 1]), (6, [1, 2, 2])])
def test_slices_are_averaged_only_within_a_chunk(chunk, factors):
    layout = VolumeLayout(100, 64, 64, chunk, 3)
    assert [layout.z_factor(level) for level in range(3)] == factors


def test_halving_averages():
    assert halve(np.array([[[1, 3], [5, 7]], [[1, 3], [5, 7]]], np.float32), 2).tolist() == [[[4]]]


def test_what_is_cut_short_or_not_finite_leaves_nothing(tmp_path):
    layout = VolumeLayout(8, 300, 300, 8, 2)
    paths = [tmp_path / str(level) / "c" / "0" / "0" / "0" for level in range(2)]
    bad = np.full((8, 300, 300), np.nan, np.float32)
    with (
        pytest.raises(ValueError, match="not finite"),
        open_chunk(layout, 0, paths) as writer,
    ):
        writer.write(0, bad)
    short = np.ones((4, 300, 300), np.float32)
    with (
        pytest.raises(ValueError, match=r"2 of 4 slices"),
        open_chunk(layout, 0, paths) as writer,
    ):
        writer.write(0, short)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_shard_written_in_blocks_is_what_zarr_reads_in_tiles(tmp_path):
    layout = VolumeLayout(5, 300, 530, 5, 1)
    values = np.random.default_rng(2).normal(size=(5, 300, 530)).astype(np.float32)
    write_volume(tmp_path, layout, values, block=2)
    array = zarr.open_array(tmp_path / "0", mode="r")
    assert array.chunks == (1, 256, 256)
    np.testing.assert_array_equal(array[3:4, 250:300, 500:530], values[3:4, 250:300, 500:530])
    np.testing.assert_array_equal(array[:], values)


def test_every_level_shows_a_point_in_the_same_place():
    """Voxel k of a level is the mean of voxels 2k and 2k + 1 below it: its centre lies between."""
    layout = VolumeLayout(16, 8, 8, 16, 3, pixel_size_um=3.0, corner_px=(5, 7))
    scales = json.loads(layout.group_metadata("scan", (0.0, 1.0)))
    datasets = scales["attributes"]["ome"]["multiscales"][0]["datasets"]
    for level, dataset in enumerate(datasets):
        scale, translation = (
            np.array(transform[transform["type"]])
            for transform in dataset["coordinateTransformations"]
        )
        # The voxels of this level, and the mean position of those of the finest that it averages.
        factors = np.array([layout.z_factor(level), 2**level, 2**level])
        first = 3.0 * (np.array([0, 7, 5]) + (factors - 1) / 2)
        np.testing.assert_allclose(translation, first)
        np.testing.assert_allclose(scale, 3.0 * factors)


def test_tiles_are_no_larger_than_the_slice():
    layout = VolumeLayout(8, 40, 20, 4, 2)
    assert [layout.array(level).chunk_shape for level in range(2)] == [(1, 40, 40), (1, 20, 20)]
    assert VolumeLayout(8, 400, 300, 4, 1).array(0).chunk_shape == (1, 256, 256)


def test_slices_of_a_cone_are_as_far_apart_as_its_rows_on_the_axis():
    beam = ConeBeam(100, 200, 0.2, 0.3)
    layout = VolumeLayout(8, 12, 12, 4, 1, beam.voxel_um, beam=beam, n_cols=12)
    ome = json.loads(layout.group_metadata("scan", (0.0, 1.0)))["attributes"]["ome"]
    scale, _ = ome["multiscales"][0]["datasets"][0]["coordinateTransformations"]
    assert scale["scale"] == pytest.approx([150.0, 100.0, 100.0])
