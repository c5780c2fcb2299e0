"""Small volumes that copies are made of."""

import numpy as np
import zarr

from tomobatch.copies.original import Original
from tomobatch.stores.grey_codes import GreyCodes

VOXEL_UM, ORIGIN_UM = (5.0, 2.5, 2.5), (50.0, 1.25, 0.0)
CODES = GreyCodes("uint16", -2.0, 8.0)
RECORD = {
    "made": "2026-01-02T03:04:05+00:00",
    "versions": {"tomobatch": "1.2.3", "numpy": "2.0"},
    "devices": ["a device"],
    "methods": ["direct"],
    "scan": {"name": "tooth", "path": "/scans/tooth.h5", "size_bytes": 12},
    "settings": {
        "normalise": {"zinger_threshold": None, "monitor": True},
        "datasets": {"cone": {"roll_deg": 0.5}, "exclude": [3, "10-19"]},
    },
    "found": {"cor_px": 24.5, "stripes": "none"},
    "warnings": ["one is µm", "two"],
}


def original_of(dtype, voxel_um=VOXEL_UM):
    values = np.arange(60).reshape(3, 4, 5).astype(dtype)
    attributes = {} if dtype == "float32" else CODES.attributes()
    array = zarr.create_array({}, data=values, chunks=(2, 4, 5), attributes=attributes)
    return Original(array, voxel_um, ORIGIN_UM)
