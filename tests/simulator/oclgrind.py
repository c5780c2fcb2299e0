"""Oclgrind, Debian's simulator of an OpenCL device: it tells of races, overruns and torn barriers.

It wants a process of its own: PoCL and it bring one compiler twice, and two engines at a time
crash it.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
LIBRARY = "lib/oclgrind/liboclgrind-rt-icd.so"
LOG = "OCLGRIND_LOG"


class NoOclgrind(Exception):
    """The simulator is not installed here."""


def simulate(folder: Path, *arguments: str) -> list[dict]:
    """Run ``tests.simulator.cases`` on the simulator, and return its lines.

    Raises
    ------
    NoOclgrind
        Saying what is missing.
    """
    program = shutil.which("oclgrind")
    library = Path(program).resolve().parents[1] / LIBRARY if program else None
    if library is None or not library.is_file():
        raise NoOclgrind("kernels are not simulated: Debian's package oclgrind is not installed")
    (folder / "oclgrind.icd").write_text(f"{library}\n")
    log = folder / "log"
    log.touch()
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulator.cases", *arguments],
        cwd=REPOSITORY,
        env={
            **os.environ,
            "OCL_ICD_VENDORS": str(folder),
            "OCLGRIND_DATA_RACES": "1",
            "OCLGRIND_NUM_THREADS": "1",
            "OCLGRIND_MAX_ERRORS": "1000000",
            LOG: str(log),
        },
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
