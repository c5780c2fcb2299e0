"""The same volume in other viewers, in the grey window in which it is shown here."""

import json
import shlex
from urllib.parse import quote, urlsplit

from tomobatch.view.volume import Volume

NEUROGLANCER = "https://neuroglancer-demo.appspot.com/"
"""Where the project of that name serves it; what it is told stays in the browser."""


def neuroglancer_url(volume: Volume, served_at: str, viewer: str = NEUROGLANCER) -> str:
    """Return the address of neuroglancer with the volume in four panels.

    Parameters
    ----------
    served_at
        The URL of the volume's folder.
    """
    layer = {
        "type": "image",
        "name": volume.facts()["name"],
        "source": f"zarr://{served_at}",
        "shaderControls": {"normalized": {"range": list(volume.stored_window)}},
    }
    state = {"layers": [layer], "displayDimensions": ["x", "y", "z"], "layout": "4panel"}
    return f"{viewer}#!{quote(json.dumps(state, separators=(',', ':')))}"


def napari_command(volume: Volume) -> str:
    """Return the command that opens the volume in napari, whose plugin takes the window from it."""
    return shlex.join(["napari", "--plugin", "napari-ome-zarr", volume.address])


def origin_of(url: str) -> str:
    """Return what a browser calls the origin of a page."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
