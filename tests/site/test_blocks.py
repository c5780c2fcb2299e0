"""Every command block of README and docs is run as a reader types it, page after page.

Pages share one folder, whose scans are tiny ones of the names that the pages use. What is not run
here is listed with where it is, or why it can't be. What needs an account is a whole life of a run,
and tests/cli/test_life.py lives it.
"""

import os
import re
import shutil
import urllib.request
from collections import Counter
from pathlib import Path

import pexpect
import pytest
import yaml
from benchmarks.warm import warm_image
from tests.site.test_commands import BLOCK, PAGES
from tests.warm_start import python

from tomobatch.phantom.write import write_phantom
from tomobatch.phantom.write_cone import write_cone_phantom

ELSEWHERE = {
    "make test-fast": "CI runs it in a stranger's clone",
    "pip install snakemake-executor": "tests/distributions installs the three wheels",
    "aws-batch-emulator run": "tests/distributions runs the page from the wheels",
    "snakemake --workflow-profile profiles/slurm": "tests/slurm runs it on a real node",
    "snakemake --profile aws": "tests/cli/test_setup.py writes that profile and reads it back",
    'pip install "tomobatch[slurm]"': "needs the released distribution",
    "tomobatch preview tooth --apply": "tests/cli/test_preview.py does; it changes config.yaml",
    "tomobatch run --local scans/bone.nx": "tests/workflow reconstructs cones here and emulated",
    "tomobatch series": "tests/joined does",
    "tomobatch stack": "tests/joined does",
    "tomobatch watch": "tests/watch does; it waits for scans",
    "sudo apt-get": "needs root, and a network",
    "VKFFT_BACKEND=opencl pip install": "needs OpenCL's headers",
    "rclone ": "needs a beamline's server",
    "globus ": "needs a facility's service",
    "apptainer ": "needs Apptainer",
}
STANDS_FOR = {
    "path/to/scan.h5": "scans/tooth.h5",
    "results/scan": "results/tooth",
    # Columns and rows that the tiny scan has.
    "cor=1020:1030:0.5": "cor=22:26:0.5",
    "--cone --size 96": "--cone --size 32",
    "--rows 300,900": "--rows 3,9",
    # Those that are equal: to differ is an exit code of its own.
    "results-2/tooth": "reruns/tooth/results/tooth",
    "other/config.yaml": "study.yaml",
    # The environment is that of the tests; what make does of it is held below.
    ". .venv/bin/activate": ":",
    "make demo SCAN=": "tomobatch demo ",
    "make demo CONE=1": "tomobatch demo --cone",
    "make demo": "tomobatch demo",
}
NEED_AN_ACCOUNT = ("setup", "run ", "status", "teardown", "export tooth ")
MAY_FAIL = ("tomobatch doctor --device gpu",)
WORDS = ("tomobatch ", "snakemake ", "make ", "pip ", "cd ", "for ", ". ", *ELSEWHERE)
SCAN = {"size": 48, "n_rows": 12, "n_angles": 60, "n_flats": 4, "n_darks": 4}
PATIENCE_S = 400


def blocks(page: Path) -> list[list[str]]:
    """Return the lines that a reader types, block by block, without their comments."""
    found = []
    for _, language, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language in ("", "sh", "bash", "console", "text"):
            lines = [line.strip() for line in text.replace("\\\n", " ").splitlines()]
            typed = [re.sub(r"\s+#\s.*", "", line) for line in lines if line.startswith(WORDS)]
            found.append(typed)
    return [typed for typed in found if typed]


def is_elsewhere(line: str) -> bool:
    return line.startswith(tuple(ELSEWHERE))


def needs_account(line: str) -> bool:
    command = line.removeprefix("tomobatch ")
    local = "--local" in line or not line.startswith("tomobatch ")
    return not local and command.startswith(NEED_AN_ACCOUNT)


ALL = {page: blocks(page) for page in PAGES if blocks(page)}
LINES = [line for typed in ALL.values() for block in typed for line in block]


def test_the_blocks_are_counted(record_property):
    count = Counter(
        "elsewhere" if is_elsewhere(line) else "account" if needs_account(line) else "here"
        for line in LINES
    )
    record_property("commands", dict(count))
    assert count["here"] > 25
    assert count["account"] >= 5
    assert {start for start in ELSEWHERE if not any(line.startswith(start) for line in LINES)} == (
        set()
    )


def test_make_demo_is_tomobatch_demo(repository):
    recipe = re.search(r"^demo:.*\n\t(.*)", (repository / "Makefile").read_text("utf-8"), re.M)[1]
    assert recipe.startswith("@$(BIN)/tomobatch demo $(if $(CONE),--cone) $(if $(SCAN)")


@pytest.fixture(scope="module")
def clone(repository, tmp_path_factory):
    """A folder like a clone, with the scans that the pages speak of."""
    folder = tmp_path_factory.mktemp("reader")
    for name in ("Snakefile", "rules", "scripts", "envs", "profiles", "docs", "cloudformation"):
        (folder / name).symlink_to(repository / name)
    write_phantom(folder / "scans" / "demo.h5", **SCAN, seed=3)
    write_cone_phantom(folder / "scans" / "demo-cone.nx", size=32, n_angles=40)
    shutil.copy(folder / "scans" / "demo-cone.nx", folder / "scans" / "bone")
    (folder / "data").mkdir()
    for copy in ("scans/tooth.h5", "data/tooth.h5", "data/bone.nx"):
        shutil.copy(folder / "scans" / "demo.h5", folder / copy)
    config = {
        "scans": {"demo": "scans/demo.h5", "tooth": "scans/tooth.h5"},
        "chunks": {"projections": 30, "slices": 4},
        "phase": {"distance_mm": 100},
        "volume": {"levels": 2},
    }
    for name in ("config.yaml", "study.yaml"):
        (folder / name).write_text(yaml.safe_dump(config), encoding="utf-8")
    sheet = "scan\tpath\tcalibrate.cor_px\ntooth\tdata/tooth.h5\nbone\tdata/bone.nx\t23.5\n"
    (folder / "scans.tsv").write_text(sheet, encoding="utf-8")
    return folder


def type_line(line: str, folder: Path) -> str:
    """Type a line into a terminal, agree to what is asked, leave what serves; return its words."""
    process = pexpect.spawn(
        "bash",
        ["-euo", "pipefail", "-c", line],
        cwd=str(folder),
        env={
            **os.environ,
            "PATH": warm_image(python())["PATH"],
            "DISPLAY": "",
            "TERM": "dumb",
        },
        dimensions=(40, 200),
        encoding="utf-8",
        timeout=PATIENCE_S,
    )
    said = ""
    while True:
        met = process.expect([r"\[[yY]/[nN]\]", r"http://127\.0\.0\.1:\d+/\S+/", pexpect.EOF])
        said += process.before
        if met == 0:
            process.sendline("y")
        elif met == 1:
            assert urllib.request.urlopen(process.after).status == 200  # noqa: S310 - loopback
            process.sendintr()
        else:
            break
    process.close()
    assert "Traceback" not in said, said
    assert process.exitstatus == 0 or line in MAY_FAIL, f"{line}\n{said}"
    return said


def run_block(typed: list[str], clone: Path) -> None:
    folder = clone
    for line in typed:
        for written, meant in STANDS_FOR.items():
            line = line.replace(written, meant)
        if line.startswith("cd "):
            folder = folder / line.removeprefix("cd ")
        else:
            type_line(line, folder)


LOCAL = [page for page in ALL if not all(needs_account(x) for b in ALL[page] for x in b)]


@pytest.mark.parametrize("page", LOCAL, ids=lambda page: page.stem)
def test_the_blocks_of_a_page_run_on_this_machine(page, clone):
    for typed in ALL[page]:
        if not any(needs_account(line) for line in typed):
            run_block([line for line in typed if not is_elsewhere(line)], clone)
