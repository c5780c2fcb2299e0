"""What the server gives, and to whom."""

import json
from http.client import HTTPConnection
from urllib.parse import urlsplit

import numpy as np
import pytest

from tomobatch.errors import UserError
from tomobatch.view.volume import open_volume


def ask(url, **headers):
    """Return status and body; the path goes out as it is written."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc)
    try:
        connection.request("GET", parts.path, headers=headers)
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def get(url):
    code, body = ask(url)
    assert code == 200
    return body


def status(url, **headers):
    return ask(url, **headers)[0]


@pytest.mark.parametrize(
    ("axis", "index", "cut"),
    [("z", 5, np.s_[5]), ("y", 39, np.s_[:, 39]), ("x", 0, np.s_[:, :, 0])],
)
def test_a_plane_holds_the_values_of_the_volume(served, voxels, axis, index, cut):
    plane = np.frombuffer(get(f"{served.url}plane/0/{axis}/{index}"), "<f4")
    np.testing.assert_array_equal(plane, voxels[cut].ravel())


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


def test_nobody_gets_in_without_the_secret_or_through_another_name(served):
    root = served.url.removesuffix(f"{served.secret}/")
    assert status(root) == 403
    assert status(f"{root}{'x' * len(served.secret)}/volume.json") == 403
    assert status(f"{served.url}volume.json", Host="evil.example") == 403
    assert served.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize("content", [None, "{}", "no json"])
def test_what_is_no_volume_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "zarr.json").write_text(content)
    with pytest.raises(UserError, match=r"holds no OME-Zarr 0\.5 volume"):
        open_volume(str(tmp_path))
