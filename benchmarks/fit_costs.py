"""Fit the table of costs, by which ``method: auto`` chooses and estimates foretell: costs.json.

    python benchmarks/fit_costs.py [gpu|cpu] [METHOD ...]
    python benchmarks/fit_costs.py --from FILE.json

Only what was measured is replaced, in the row of the device: ``cpu``, or the name of a GPU.
``--from`` takes the row of
what ``tomobatch doctor --benchmark FILE.json`` measured, on a GPU node for instance.
"""

import json
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from tomobatch.benchmark.fitting import fit
from tomobatch.cores import n_usable_cores
from tomobatch.opencl.devices import find_device
from tomobatch.reconstruct.model import find_gpu

TABLE = Path(__file__).parents[1] / "src/tomobatch/reconstruct/costs.json"
LANES = {
    "direct": (1, 4, 16, 32),
    "fourier": (1, 4, 16),
    "sirt": (16,),
    "cgls": (16,),
    "tv": (16,),
}


def measured_here(kind: str, methods: list[str]) -> tuple[str, dict]:
    """Return the name of the device's row, and the row of some methods (none: of all)."""
    device = find_device(kind)
    print(device.description)
    nanoseconds: dict[str, dict] = {}
    for method in methods or LANES:
        for lanes in LANES[method]:
            costs, (low, high) = fit(device, method, lanes)
            print(f"{method} x{lanes}: expected over measured {low:.2f} to {high:.2f}")
            nanoseconds.setdefault(method, {})[str(lanes)] = costs
    today = datetime.now(UTC).date().isoformat()
    words = (
        f"{today}, benchmarks/fit_costs.py, {device.description}, {platform.machine()},"
        f" {n_usable_cores()} CPUs"
    )
    name = "cpu" if device.kind == "cpu" else find_gpu(device.cl_device.name).name
    return name, {"measured": words, "nanoseconds": nanoseconds}


def main() -> None:
    """Measure, or read what was measured, and write."""
    if sys.argv[1:2] == ["--from"]:
        found = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
        name, row = found["gpu"] or "cpu", found["cost_row"]
    else:
        name, row = measured_here(sys.argv[1] if len(sys.argv) > 1 else "auto", sys.argv[2:])
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    known = table["nanoseconds"].setdefault(name, {})
    partial = not known.keys() <= row["nanoseconds"].keys()
    before = f"{table['measured'][name]}; {', '.join(row['nanoseconds'])}: " if partial else ""
    known.update(row["nanoseconds"])
    table["measured"][name] = before + row["measured"]
    TABLE.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
