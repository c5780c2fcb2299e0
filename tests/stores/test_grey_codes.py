"""Whole numbers differ from the greys by half a step at most, and say how to undo it."""

import json
from dataclasses import replace

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.in_process import reconstruct

from tomobatch.config.schema import load_config
from tomobatch.errors import UserError
from tomobatch.phantom.write import write_phantom
from tomobatch.report.gather import planes
from tomobatch.stores.grey_codes import GreyCodes, codes_in, read_grey
from tomobatch.stores.volume import VolumeLayout
from tomobatch.stores.volume_writer import open_chunk
from tomobatch.view.volume import open_volume

# Of a step: float32 of the greys themselves, at the far end of 16 bits.
ROUNDING = 0.02


@settings(max_examples=50, deadline=None)
@given(
    dtype=st.sampled_from(["uint8", "uint16"]),
    low=st.floats(-1e3, 1e3, width=32),
    width=st.floats(2**-10, 2**12, width=32),
    seed=st.integers(0, 99),
)
def test_the_way_there_and_back_is_half_a_step(dtype, low, width, seed):
    codes = GreyCodes(dtype, low, low + width)
    values = np.random.default_rng(seed).uniform(low, low + width, (2, 50)).astype(np.float32)
    encoded = codes.encode(values)
    assert encoded.dtype == dtype
    error = np.abs(codes.decode(encoded).astype(np.float64) - values)
    float32_step = np.spacing(np.float32(max(abs(low), abs(low + width))))
    assert error.max() <= codes.scale / 2 + 2 * float32_step
    attributes = json.loads(json.dumps(codes.attributes()))
    undone = codes_in(attributes, encoded.dtype)
    np.testing.assert_array_equal(undone.decode(encoded), codes.decode(encoded))


def test_ends_are_exact_and_what_lies_beyond_is_counted():
    codes = GreyCodes("uint8", -1.0, 1.0)
    values = np.array([[-1.0, 1.0, -9.0, 1.001, np.float32(1e30)]], np.float32)
    np.testing.assert_array_equal(codes.encode(values), [[0, 255, 0, 255, 255]])
    assert codes.n_outside(values) == (1, 2)


def test_a_value_that_is_no_number_leaves_nothing(tmp_path):
    layout = replace(
        VolumeLayout(2, 8, 8, 2, 1, dtype="uint8"), codes=GreyCodes("uint8", -1.0, 1.0)
    )
    values = np.zeros((2, 8, 8), np.float32)
    values[1, 2, 3] = np.nan
    with (
        pytest.raises(ValueError, match="1 values of the slices are not finite"),
        open_chunk(layout, 0, [tmp_path / "0"]) as writer,
    ):
        writer.write(0, values)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    path = tmp_path_factory.mktemp("scan") / "scan.h5"
    write_phantom(path, size=64, n_rows=16, n_angles=90, n_flats=6, n_darks=6)
    return path


@pytest.fixture(scope="module")
def plain(scan, tmp_path_factory):
    return reconstruct(tmp_path_factory.mktemp("float32"), scan)


def level(run, number):
    return zarr.open_array(run.results / "volume.ome.zarr" / str(number), mode="r")


@pytest.mark.parametrize(
    ("volume", "most_clipped"),
    [
        ({"dtype": "uint16"}, 0.0),
        ({"dtype": "uint8"}, 0.0),
        ({"dtype": "uint8", "window": [-100.0, 200.0]}, 0.0),
        ({"dtype": "uint16", "window": [0.0, 20.0]}, 0.5),
    ],
)
def test_a_volume_of_whole_numbers_is_the_other_one(scan, plain, tmp_path, volume, most_clipped):
    run = reconstruct(tmp_path, scan, {"volume": volume})
    n_clipped = 0
    for number in range(3):
        array, exact = level(run, number), level(plain, number)[:].astype(np.float64)
        assert array.dtype == volume["dtype"]
        codes = codes_in(array.attrs, array.dtype)
        greys = array[:] * array.attrs["scale_factor"] + array.attrs["add_offset"]
        within = np.clip(exact, codes.low, codes.high)
        assert np.abs(greys - within).max() <= codes.scale * (0.5 + ROUNDING)
        np.testing.assert_allclose(read_grey(array, slice(None)), greys, rtol=1e-6, atol=1e-6)
        if number == 0:
            n_clipped = np.count_nonzero((exact < codes.low) | (exact > codes.high))
    assert n_clipped <= most_clipped * plain.volume.size
    records = [json.loads(path.read_text()) for path in run.results.glob("records/reconstruct/*")]
    told = sum(sum(record["clipped_voxels"].values()) for record in records)
    assert told == n_clipped
    warned = [line for line in run.warnings if "volume.window" in line]
    assert bool(warned) == (n_clipped > 0.01 * plain.volume.size)
    assert run.attributes["tomobatch"]["grey"]["unit"] == "1/cm"


def test_readers_are_given_greys(scan, plain, tmp_path):
    run = reconstruct(tmp_path, scan, {"volume": {"dtype": "uint16"}})
    step = run.attributes["tomobatch"]["grey"]["scale_factor"]
    shown, exact = (open_volume(str(one.results / "volume.ome.zarr")) for one in (run, plain))
    np.testing.assert_allclose(shown.plane(0, "z", 5), exact.plane(0, "z", 5), atol=0.52 * step)
    np.testing.assert_allclose(shown.window, exact.window, rtol=1e-9)
    window = run.attributes["ome"]["omero"]["channels"][0]["window"]
    assert 0 < window["start"] < window["end"] < 65535
    assert shown.stored_window == (window["start"], window["end"])
    assert exact.stored_window == exact.window
    assert level(run, 0).fill_value == run.volume[0, 0, 0]
    for name, image in planes(level(run, 0), level(run, 2)).items():
        expected = planes(level(plain, 0), level(plain, 2))[name]
        np.testing.assert_allclose(image, expected, atol=0.52 * step)


@pytest.mark.parametrize(
    ("volume", "told"),
    [
        ({"window": [0, 1]}, "float32 needs none; give dtype: uint16 or uint8 with it"),
        ({"dtype": "uint8", "window": [2, 1]}, "the first value must be below the second"),
        ({"dtype": "int16"}, "volume.dtype"),
    ],
)
def test_a_mistake_is_one_line(volume, told):
    with pytest.raises(UserError) as error:
        load_config({"scans": {"a": "a.h5"}, "volume": volume})
    assert told in str(error.value)
