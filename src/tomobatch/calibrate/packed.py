"""Arrays as text, for evidence that travels as JSON."""

import base64

import numpy as np
from numpy.typing import NDArray

_LARGEST = 32_767


def pack(values: NDArray[np.floating]) -> str:
    """Return the values as text, each to 1/65,000 of the largest; any shape becomes flat."""
    scale = float(np.abs(values).max(initial=0.0)) / _LARGEST or 1.0
    whole = np.round(values / scale).astype("<i2")
    return f"{scale!r} {base64.b64encode(whole.tobytes()).decode()}"


def unpack(text: str) -> NDArray[np.float32]:
    """Return the values that `pack` wrote, flat, float32."""
    scale, data = text.split(" ")
    whole = np.frombuffer(base64.b64decode(data), dtype="<i2")
    return whole.astype(np.float32) * np.float32(scale)
