"""Writes a scan as a detector does: all at first laid out, then picture by picture.

A process of its own, told on its input to go on: ``python writer.py FROM TO``.
"""

import sys

import h5py


def main(source: str, target: str) -> None:
    """Copy a Data Exchange file in steps: half of the projections, all of them, closed."""
    with h5py.File(source) as scan, h5py.File(target, "w") as file:
        for name in ("theta", "data_white", "data_dark"):
            file[f"exchange/{name}"] = scan[f"exchange/{name}"][()]
        pictures = scan["exchange/data"]
        data = file.create_dataset("exchange/data", pictures.shape, pictures.dtype)
        half = len(pictures) // 2
        for start, stop in ((0, half), (half, len(pictures))):
            data[start:stop] = pictures[start:stop]
            file.flush()
            print(stop, flush=True)
            sys.stdin.readline()
    print("closed", flush=True)
    sys.stdin.readline()


main(*sys.argv[1:])
