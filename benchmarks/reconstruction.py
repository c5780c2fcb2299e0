"""Compare this package's reconstruction with its peers: ``make bench``.

Everyone gets the same float32 sinograms (slice, angle, x) and gives float32 slices (slice, y, x).
First the results are checked, then all are timed in turn, round after round in one process; what
counts is the ratio of two times of the same round.
"""

import argparse
import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import machine
import numpy as np
import peers
from scene import Scene
from stages import stage_costs

from tomobatch.opencl.devices import find_device

FACTORIES = {
    "tomobatch auto": peers.tomobatch("auto"),
    "tomobatch direct": peers.tomobatch("direct"),
    "tomobatch fourier": peers.tomobatch("fourier"),
    "tomobatch.fbp()": peers.public_call,
    "ducc0": peers.ducc0,
    "finufft": peers.finufft,
    "algotom": peers.algotom,
    "ASTRA": peers.astra,
    "scikit-image": peers.scikit_image,
}
# These take seconds a slice: they get one slice, the others the whole chunk.
SLOW = ("algotom", "ASTRA", "scikit-image")
SIZES = {512: 900, 1024: 1500, 2048: 1800}
RESULTS = Path(__file__).parent / "results"


def measure(scene: Scene, names: list[str], rounds: int) -> dict[str, dict[str, object]]:
    """Return, by contestant, its worst error and its time a slice in every round."""
    found: dict[str, dict[str, object]] = {}
    ready = {}
    for name in names:
        start = time.perf_counter()
        ready[name] = FACTORIES[name](scene.angles_rad, scene.n_px)
        found[name] = {"setup_s": time.perf_counter() - start, "wall_ms": [], "cpu_ms": []}
        sinograms = _share(name, scene)
        found[name]["worst_rmse"] = scene.worst_rmse(ready[name](sinograms))
        print(f"  {name}: RMSE {found[name]['worst_rmse']:.5f}", flush=True)
    for number in range(rounds):
        for name in names:
            if name in SLOW and number >= max(1, rounds // 3):
                continue
            sinograms = _share(name, scene)
            wall, cpu = time.perf_counter(), time.process_time()
            ready[name](sinograms)
            scale = 1e3 / len(sinograms)
            found[name]["wall_ms"].append((time.perf_counter() - wall) * scale)
            found[name]["cpu_ms"].append((time.process_time() - cpu) * scale)
    return found


def _share(name: str, scene: Scene) -> np.ndarray:
    return scene.sinograms[:1] if name in SLOW else scene.sinograms


def ratios(found: dict[str, dict[str, object]], clock: str) -> dict[str, list[float]]:
    """Return the least, the median and the largest ratio of times within a round.

    ``auto`` to the faster of the two non-uniform transforms, and algotom to ``direct``.
    """

    def of(name: str) -> np.ndarray:
        return np.array(found[name][clock])

    result = {}
    if {"tomobatch auto", "ducc0", "finufft"} <= found.keys():
        best = np.minimum(of("ducc0"), of("finufft"))
        result["auto / faster of ducc0 and finufft"] = of("tomobatch auto") / best
    if {"tomobatch direct", "algotom"} <= found.keys():
        slow = of("algotom")
        result["algotom / direct"] = slow / of("tomobatch direct")[: len(slow)]
    return {
        name: [float(f(values)) for f in (np.min, np.median, np.max)]
        for name, values in result.items()
    }


def as_markdown(report: dict) -> str:
    """Return the report as a page of tables."""
    peak = report["machine"]
    lines = [
        f"# Reconstruction, {report['date']}",
        "",
        f"{peak['cpu']}, {peak['threads']} threads; {peak['device']}; load {report['load']}.",
        f"Peaks, in CPU time as well: sgemm {peak['sgemm_gflops']:.0f} GFLOP/s,"
        f" triad {peak['triad_gb_s']:.1f} GB/s.",
        "",
        "Median milliseconds a slice: wall, and CPU time of all threads by their number (what the"
        " wall would be on cores that nobody else uses).",
    ]
    for size in report["sizes"]:
        lines += ["", f"## {size['n_px']} px, {size['n_angles']} angles, {size['n_slices']} slices"]
        lines += ["", "| | wall | CPU / threads | worst RMSE |", "|---|---:|---:|---:|"]
        for name, row in size["contestants"].items():
            wall, cpu = np.median(row["wall_ms"]), np.median(row["cpu_ms"]) / peak["threads"]
            lines.append(f"| {name} | {wall:.1f} | {cpu:.1f} | {row['worst_rmse']:.4f} |")
        lines.append("")
        for clock in ("wall_ms", "cpu_ms"):
            for name, (low, middle, high) in ratios(size["contestants"], clock).items():
                lines.append(f"* {name}, {clock[:-3]}: {middle:.3g} ({low:.3g} to {high:.3g})")
        lines += ["", "| stage | ms | GFLOP/s | of sgemm | GB/s | of triad |"]
        lines.append("|---|---:|---:|---:|---:|---:|")
        for method, stages in size["stages"].items():
            for name, cost in stages.items():
                share = 100 * cost["gflop_s"] / peak["sgemm_gflops"]
                flow = 100 * cost["gb_s"] / peak["triad_gb_s"]
                lines.append(
                    f"| {method}: {name} | {cost['ms']:.2f} | {cost['gflop_s']:.1f} | {share:.0f} %"
                    f" | {cost['gb_s']:.1f} | {flow:.0f} % |"
                )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run, print and keep the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--only", nargs="+", choices=FACTORIES, default=list(FACTORIES))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--slices", type=int, default=peers.CHUNK)
    parser.add_argument("--name", default="reconstruction", help="of the files of results")
    options = parser.parse_args()
    device = find_device("cpu")
    peak = machine.describe(device)
    peak |= {"sgemm_gflops": machine.sgemm_gflops(), "triad_gb_s": machine.triad_gb_s()}
    now = datetime.now(UTC)
    report = {"date": f"{now:%Y-%m-%d}", "load": os.getloadavg()[0], "machine": peak, "sizes": []}
    for n_px in options.sizes:
        scene = Scene(n_px, SIZES[n_px], options.slices)
        print(f"{n_px} px, {scene.n_angles} angles", flush=True)
        contestants = measure(scene, options.only, options.rounds)
        stages = stage_costs(device, scene.sinograms, scene.angles_rad, options.rounds)
        report["sizes"].append(
            {
                "n_px": n_px,
                "n_angles": scene.n_angles,
                "n_slices": scene.n_slices,
                "contestants": contestants,
                "stages": stages,
            }
        )
        keep(report, options.name)
    print(as_markdown(report))


def keep(report: dict, name: str) -> None:
    """Write the report as it stands, so that a long run cut short still leaves its first sizes."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(report, indent=1) + "\n")
    (RESULTS / f"{name}.md").write_text(as_markdown(report))


if __name__ == "__main__":
    main()
