"""Reconstruct X-ray tomography scans, on a laptop or on AWS Batch array jobs.

From Python, on arrays in memory::

    import numpy as np
    import tomobatch

    with tomobatch.open_scan("scans/demo.h5") as scan:
        sinograms, angles_rad = tomobatch.read_sinograms(scan)
    found = tomobatch.calibrate_sinograms(sinograms, angles_rad)
    slices = tomobatch.fbp(sinograms, angles_rad, found.cor_px(np.arange(len(sinograms))))

``iterate`` is for few angles; ``read_volume`` opens what the workflow has made; ``remove_stripes``
and ``write_phantom`` are the rest.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

if TYPE_CHECKING:
    from tomobatch.api import (
        UserError,
        calibrate_sinograms,
        fbp,
        iterate,
        open_scan,
        read_sinograms,
        read_volume,
        release_memory,
        remove_stripes,
        write_phantom,
    )

__all__ = [
    "UserError",
    "calibrate_sinograms",
    "fbp",
    "iterate",
    "open_scan",
    "read_sinograms",
    "read_volume",
    "release_memory",
    "remove_stripes",
    "write_phantom",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    # OpenCL and the compilers take seconds to import, which `tomobatch status` need not wait for.
    if name in __all__:
        return getattr(import_module("tomobatch.api"), name)
    raise AttributeError(f"module 'tomobatch' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
