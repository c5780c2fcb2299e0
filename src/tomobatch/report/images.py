"""The images of a page, as grey pictures inside it."""

import base64
import io
from typing import Any

import numpy as np

from tomobatch.report.content import Image

_LARGEST_PX = 900


def image_png(image: Image, window: tuple[float, float]) -> bytes:
    """Return an image as an 8-bit grey PNG, shrunk by averaging to at most 900 px a side."""
    return _encoded(image, window, _LARGEST_PX, "PNG", optimize=True)


def full_png(image: Image, window: tuple[float, float]) -> bytes:
    """Return an image as an 8-bit grey PNG of all its pixels, to look at closely."""
    return _encoded(image, window, max(image.shape), "PNG", compress_level=1)


def image_jpeg(image: Image, window: tuple[float, float], largest_px: int) -> bytes:
    """Return an image as an 8-bit grey JPEG, shrunk by averaging to so many pixels a side."""
    return _encoded(image, window, largest_px, "JPEG", quality=80)


def data_uri(picture: bytes, kind: str = "png") -> str:
    """Return a PNG or JPEG as the address of an image inside the page."""
    return f"data:image/{kind};base64," + base64.b64encode(picture).decode()


def percentile_window(image: Image, low: float = 0.5, high: float = 99.5) -> tuple[float, float]:
    """Return the grey window that leaves out the few darkest and brightest pixels."""
    bottom, top = np.percentile(image, (low, high))
    return float(bottom), float(top)


def _encoded(
    image: Image,
    window: tuple[float, float],
    largest_px: int,
    form: str,
    **options: Any,  # noqa: ANN401 - what Pillow takes
) -> bytes:
    from PIL import Image as PillowImage

    factor = max(1, -(-max(image.shape) // largest_px))
    low, high = window
    shown = np.clip((_binned(image, factor) - low) / max(high - low, 1e-30), 0, 1)
    file = io.BytesIO()
    PillowImage.fromarray(np.round(shown * 255).astype(np.uint8)).save(file, form, **options)
    return file.getvalue()


def _binned(image: Image, factor: int) -> Any:  # noqa: ANN401 - numpy cannot say more
    if factor == 1:
        return image
    height, width = (size - size % factor for size in image.shape)
    blocks = image[:height, :width].reshape(height // factor, factor, width // factor, factor)
    return blocks.mean(axis=(1, 3))
