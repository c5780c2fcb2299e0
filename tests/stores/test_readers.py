"""Volumes as tensorstore reads them: a reader of Zarr 3 and its shards that is not zarr-python."""

import json

import numpy as np
import pytest
import tensorstore
import zarr
from tests.joined.volumes import write_volume

from tomobatch.joined.series import join_series
from tomobatch.joined.stack import join_stack
from tomobatch.stores.grey_codes import GreyCodes

# Several tiles a slice with a rest at their edges, and a last shard that is not full.
VALUES = np.random.default_rng(0).normal(size=(12, 270, 265)).astype(np.float32)
KINDS = ["float32", "uint8", "uint16", "series", "stack"]


def opened(path, level):
    """Open a level as tensorstore does, which is told nothing but where it lies."""
    store = {"driver": "file", "path": str(path / level)}
    return tensorstore.open({"driver": "zarr3", "kvstore": store}, open=True, read=True).result()


@pytest.fixture(params=KINDS)
def volume(request, tmp_path):
    if request.param in ("series", "stack"):
        parts = [write_volume(tmp_path / str(at), VALUES[at : at + 8]) for at in (0, 4)]
        output = tmp_path / f"{request.param}.ome.zarr"
        if request.param == "series":
            join_series(parts, output)
        else:
            join_stack(parts, output, overlap=4)
        return output
    codes = None if request.param == "float32" else GreyCodes(request.param, -6.0, 6.0)
    return write_volume(tmp_path / "a", VALUES, codes=codes)


def test_every_level_is_read_as_zarr_python_reads_it(volume):
    for level in ("0", "1"):
        ours, theirs = zarr.open_array(volume / level, mode="r"), opened(volume, level)
        assert theirs.domain.labels == ours.metadata.dimension_names
        assert theirs.dtype.numpy_dtype == ours.dtype
        assert theirs.fill_value == ours.fill_value
        np.testing.assert_array_equal(theirs.read().result(), ours[:])


def test_the_voxels_are_those_that_were_written(volume):
    values = opened(volume, "0").read().result()
    attributes = json.loads((volume / "0/zarr.json").read_text()).get("attributes", {})
    if values.ndim == 4:
        np.testing.assert_array_equal(values, [VALUES[:8], VALUES[4:]])
        return
    step = attributes.get("scale_factor", 0.0)
    greys = values * step + attributes["add_offset"] if step else values
    # Half a step, or what float32 loses where two parts of a stack are blended.
    np.testing.assert_allclose(greys, VALUES, atol=0.5001 * step + 1e-6)


def test_a_shard_that_is_not_there_yet_is_zero_grey(volume):
    shards = [path for path in sorted((volume / "0/c").rglob("*")) if path.is_file()]
    shards[-1].unlink()
    theirs = opened(volume, "0")
    *_, last = theirs.read().result().reshape(-1, *theirs.shape[-2:])
    assert (last == theirs.fill_value).all()
    attributes = json.loads((volume / "0/zarr.json").read_text()).get("attributes", {})
    step = attributes.get("scale_factor", 0.0)
    grey = float(theirs.fill_value) * (step or 1.0) + attributes.get("add_offset", 0.0)
    assert abs(grey) <= 0.5001 * step
