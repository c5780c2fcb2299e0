"""Draws docs/images/{status,estimate,cost}.svg from a real run on an emulated account.

``python docs/make_screenshots.py`` makes a phantom, reconstructs it on ``aws-batch-emulator``,
takes a machine away under it, and draws what the commands print into a terminal.
"""

import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pexpect
from rich.console import Console
from rich.text import Text

import aws_batch_emulator
from aws_batch_emulator import Fault, FaultKind

REPOSITORY = Path(__file__).resolve().parents[1]
IMAGES = REPOSITORY / "docs" / "images"
WORKFLOW = ("Snakefile", "rules", "scripts", "envs", "profiles", "docs")
CONFIG = "scans: {}\nchunks: {projections: 30, slices: 8}\nvolume: {levels: 2}\n"
TOMOBATCH = [sys.executable, "-c", "from tomobatch.cli import main; main()"]
WIDTH = 100
SCAN = "scans/tooth.h5"


def main() -> None:
    """Run the phantom and draw the commands."""
    with (
        tempfile.TemporaryDirectory() as folder,
        aws_batch_emulator.start(slots=4, variables={"TOMOBATCH_DEVICE": "cpu"}) as emulator,
    ):
        os.environ.update(emulator.environment)
        os.chdir(folder)
        for name in WORKFLOW:
            Path(name).symlink_to(REPOSITORY / name)
        Path("config.yaml").write_text(CONFIG, encoding="utf-8")
        call("phantom", SCAN, "--size", "128", "--rows", "48", "--angles", "240")
        draw("estimate", "estimate", SCAN, "--offline")
        emulator.inject(Fault(FaultKind.RECLAIM, match="tooth-process-*", index=1, after_s=5))
        call("run", SCAN, "--detach", "--machines", "4", "--queue", "gpu")
        wait_for(lambda step: step["rule"] == "process" and step["reclaimed"] and step["done"] >= 2)
        draw("status", "status", "tooth", shown="status tooth --watch")
        call("status", "tooth", "--watch", "--every", "2")
        draw("cost", "cost", "tooth", "--offline")


def call(*arguments: str) -> str:
    """Run a command and return what it prints."""
    done = subprocess.run([*TOMOBATCH, *arguments], check=True, capture_output=True, text=True)
    return done.stdout


def wait_for(condition: Callable[[dict[str, Any]], bool]) -> None:
    """Ask for the state of the run until one of its steps fulfils a condition."""
    while True:
        state = json.loads(call("status", "tooth", "--json"))
        if any(map(condition, state["steps"])):
            return
        if state["phase"] != "running":
            sys.exit(f"the run is {state['phase']} before there was anything to draw")
        time.sleep(0.5)


def draw(name: str, *arguments: str, shown: str | None = None) -> None:
    """Run a command in a terminal and draw what is on it."""
    process = pexpect.spawn(
        TOMOBATCH[0],
        [*TOMOBATCH[1:], *arguments],
        env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
        dimensions=(60, WIDTH),
        encoding="utf-8",
        timeout=120,
    )
    process.expect(pexpect.EOF)
    process.close()
    printed = process.before
    if process.exitstatus:
        sys.exit(printed)
    command = shown or " ".join(arguments)
    console = Console(record=True, width=WIDTH, file=io.StringIO(), color_system="truecolor")
    console.print(Text(f"$ tomobatch {command}\n"))
    console.print(Text.from_ansi(re.sub(r"\x1b\[\?25[hl]", "", printed.replace("\r\n", "\n"))))
    IMAGES.mkdir(exist_ok=True)
    console.save_svg(str(IMAGES / f"{name}.svg"), title="tomobatch")
    print(f"{IMAGES / name}.svg")  # noqa: T201


if __name__ == "__main__":
    main()
