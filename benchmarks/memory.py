"""Peak memory and time of every step on a scan of 901 x 256 x 1024.

Run ``python benchmarks/memory.py FOLDER``; what is in the folder is used again. Writes
``benchmarks/results/memory.md``. The bound: three times the chunk's float32 bytes plus 500 MB.
"""

import platform
import subprocess
import sys
from datetime import date
from pathlib import Path

from tomobatch.phantom.write import write_phantom
from tomobatch.records.summary import STEPS, read_records

N_ANGLES, N_ROWS, N_COLS = 901, 256, 1024
CHUNK_PROJECTIONS, CHUNK_SLICES = 64, 32
REPOSITORY = Path(__file__).parents[1]
RESULT = REPOSITORY / "benchmarks" / "results" / "memory.md"

CHUNK_MB = {
    "average_references": CHUNK_PROJECTIONS * N_ROWS * N_COLS * 4 / 1e6,
    "preprocess": CHUNK_PROJECTIONS * N_ROWS * N_COLS * 4 / 1e6,
    "process": CHUNK_SLICES * N_ANGLES * N_COLS * 4 / 1e6,
    "calibrate": 0.0,
    "reconstruct": CHUNK_SLICES * max(N_ANGLES, N_COLS) * N_COLS * 4 / 1e6,
}


def run_workflow(folder: Path) -> Path:
    """Make the scan where it is missing, reconstruct it, and return the results."""
    scan = folder / "large.h5"
    if not scan.exists():
        write_phantom(scan, size=N_COLS, n_rows=N_ROWS, n_angles=N_ANGLES)
    (folder / "config.yaml").write_text(
        f"scans: {{large: {scan}}}\n"
        f"chunks: {{projections: {CHUNK_PROJECTIONS}, slices: {CHUNK_SLICES}}}\n"
    )
    arguments = ["--snakefile", REPOSITORY / "Snakefile", "--directory", folder, "--forceall"]
    profile = ["--profile", REPOSITORY / "profiles" / "local"]
    subprocess.run([sys.executable, "-m", "snakemake", *arguments, *profile], check=True)
    return folder / "results" / "large"


def table(results: Path) -> str:
    """Return the figures as a table in Markdown."""
    records = list(read_records(results))
    lines = [
        "| step | jobs | chunk (MB) | bound (MB) | peak (MB) | seconds a job | in compute |",
        "|---|---|---|---|---|---|---|",
    ]
    for step in STEPS:
        of_step = [record for record in records if record["rule"] == step]
        peak_mb = max(record["peak_mb"] for record in of_step)
        bound_mb = 3 * CHUNK_MB[step] + 500
        wall_s = sum(record["wall_s"] for record in of_step)
        compute_s = sum(record["stages_s"].get("compute", 0.0) for record in of_step)
        lines.append(
            f"| {step} | {len(of_step)} | {CHUNK_MB[step]:.0f} | {bound_mb:.0f} | {peak_mb:.0f} "
            f"| {wall_s / len(of_step):.1f} | {compute_s / wall_s:.0%} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Run, and write the result beside the others."""
    results = run_workflow(Path(sys.argv[1]).absolute())
    machine = f"{platform.machine()}, {platform.platform()}, {date.today()}"
    RESULT.write_text(
        f"# Peak memory of a job, scan of {N_ANGLES} x {N_ROWS} x {N_COLS}\n\n"
        f"{machine}. `python benchmarks/memory.py FOLDER`\n\n{table(results)}\n"
    )


if __name__ == "__main__":
    main()
