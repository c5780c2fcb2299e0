"""What the server gives, and to whom."""

import json
from http.client import HTTPConnection
from urllib.parse import urlsplit

import numpy as np
import pytest
import zarr
from obstore.store import HTTPStore
from tests.view.conftest import write_volume
from zarr.storage import ObjectStore

from tomobatch.errors import UserError
from tomobatch.view.server import ViewServer
from tomobatch.view.volume import open_volume

FILES = "volume.ome.zarr/"


def answer(url, method="GET", **headers):
    """Return status, body and headers; the path goes out as it is written."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc)
    try:
        connection.request(method, parts.path, headers=headers)
        reply = connection.getresponse()
        return reply.status, reply.read(), reply.headers
    finally:
        connection.close()


def get(url):
    code, body, _ = answer(url)
    assert code == 200
    return body


def status(url, method="GET", **headers):
    return answer(url, method, **headers)[0]


@pytest.mark.parametrize(
    ("axis", "index", "cut"),
    [("z", 5, np.s_[5]), ("y", 39, np.s_[:, 39]), ("x", 0, np.s_[:, :, 0])],
)
def test_a_plane_holds_the_values_of_the_volume(served, voxels, axis, index, cut):
    plane = np.frombuffer(get(f"{served.url}plane/0/{axis}/{index}"), "<f4")
    np.testing.assert_array_equal(plane, voxels[cut].ravel())


def test_a_page_that_is_loaded_again_shows_what_has_been_made_since(tmp_path, voxels):
    root = write_volume(tmp_path, voxels)
    shard = root / "0" / "c" / "1" / "0" / "0"
    made = shard.read_bytes()
    shard.unlink()
    volume = open_volume(str(root))
    with ViewServer(volume) as server:
        blank = server.answer("plane/0/x/5")
        shard.write_bytes(made)
        assert server.answer("plane/0/x/5") == blank
        server.answer("")
        shown = np.frombuffer(server.answer("plane/0/x/5")[1], "<f4")
    np.testing.assert_array_equal(shown, voxels[:, :, 5].ravel())


def test_planes_across_all_chunks_read_a_level_once(volume, monkeypatch):
    read = []
    monkeypatch.setattr(
        "tomobatch.view.volume.read_grey", lambda a, where: read.append(where) or a[where]
    )
    opened = open_volume(str(volume))
    for index in range(3):
        for axis in ("y", "x"):
            opened.plane(1, axis, index)
    assert len(read) == 1


def test_the_page_is_told_size_window_and_voxel(served, voxels):
    facts = json.loads(get(f"{served.url}volume.json"))
    assert facts["levels"][0]["shape"] == list(voxels.shape)
    assert facts["voxel_um"][0] == [2.0, 2.0, 2.0]
    assert facts["window"] == pytest.approx([0.0, 24.0])


@pytest.mark.parametrize(
    "path", ["plane/0/z/24", "plane/0/z/-1", "plane/2/z/0", "plane/-1/z/0", "plane/0/w/0",
             "plane/0/z/first", "../volume.py", "volume.py", "plane"]
)  # fmt: skip
def test_what_is_not_there_is_not_found(served, path):
    assert status(f"{served.url}{path}") == 404


def test_a_reader_of_zarr_reads_the_volume_by_range_over_http(served, voxels):
    url = f"{served.url}{FILES}".removesuffix("/")
    store = HTTPStore.from_url(url, client_options={"allow_http": True})
    array = zarr.open_array(ObjectStore(store, read_only=True), path="0", mode="r")
    np.testing.assert_array_equal(array[9:11], voxels[9:11])
    np.testing.assert_array_equal(array[:], voxels)


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ("bytes=0-3", np.s_[:4]),
        ("bytes=-5", np.s_[-5:]),
        ("bytes=7-", np.s_[7:]),
        ("bytes=2-99999999", np.s_[2:]),
        ("bytes=-99999999", np.s_[:]),
    ],
)
def test_a_range_is_that_part_of_the_file(served, volume, asked, wanted):
    code, body, headers = answer(f"{served.url}{FILES}0/zarr.json", Range=asked)
    content = (volume / "0/zarr.json").read_bytes()
    assert (code, body) == (206, content[wanted])
    first = len(content) if wanted.start is None else wanted.indices(len(content))[0]
    assert headers["Content-Range"].startswith(f"bytes {first % len(content)}-")
    assert headers["Content-Range"].endswith(f"/{len(content)}")


@pytest.mark.parametrize(
    "asked", ["bytes=99999999-", "bytes=-0", "bytes=4-3", "bytes=-", "lines=1-2"]
)
def test_a_range_that_is_none_is_refused(served, asked):
    assert status(f"{served.url}{FILES}0/zarr.json", Range=asked) == 416


def test_how_long_a_file_is_is_told_without_it(served, volume):
    code, body, headers = answer(f"{served.url}{FILES}zarr.json", method="HEAD")
    assert (code, body) == (200, b"")
    assert int(headers["Content-Length"]) == (volume / "zarr.json").stat().st_size


@pytest.mark.parametrize(
    "name", ["../../secret", "0/../../secret", "0//zarr.json", "0", "none", "/etc/hosts"]
)
def test_files_are_those_of_the_volume_alone(served, volume, name):
    (volume.parent.parent / "secret").write_text("mine")
    assert status(f"{served.url}{FILES}{name}") == 404


def test_nobody_gets_in_without_the_secret_or_through_another_name(served):
    root = served.url.removesuffix(f"{served.secret}/")
    assert status(root) == 403
    assert status(f"{root}{'x' * len(served.secret)}/volume.json") == 403
    assert status(f"{served.url}volume.json", Host="evil.example") == 403
    assert status(f"{root}{'x' * len(served.secret)}/{FILES}zarr.json") == 403
    assert status(f"{served.url}{FILES}zarr.json", method="OPTIONS", Host="evil.example") == 403
    assert served.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize("content", [None, "{}", "no json"])
def test_what_is_no_volume_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "zarr.json").write_text(content)
    with pytest.raises(UserError, match=r"holds no OME-Zarr 0\.5 volume"):
        open_volume(str(tmp_path))
