"""Lives a stranger's first hour, four ways, and writes docs/explanation/first-hour.md of it.

A machine with nothing but Python, git and make is made by ``debootstrap --variant=minbase
--include=python3,python3-venv,git,make,ca-certificates trixie BASE``. As root, ``python
docs/make_first_hour.py BASE`` adds a plain user, this repository as what is cloned, and its wheels
as what an index would have (``make dist``), and types what the pages say. ``--copy FILE`` takes
along what a machine needs to reach an index, such as certificates; ``--set NAME=VALUE`` is set.
"""

import argparse
import io
import json
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from first_hour_ways import USER, VIEW, WAYS, Way
from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.text import Text

from tomobatch.cores import n_usable_cores

REPOSITORY = Path(__file__).resolve().parents[1]
IMAGES = REPOSITORY / "docs" / "images"
LIVED = REPOSITORY / "build" / "first-hour"
PAGE = REPOSITORY / "docs" / "explanation" / "first-hour.md"
CLONE, WHEELS = "/srv/tomobatch.git", "/srv/wheels"
UID = 1000
MOUNTED = ("proc", "sys", "dev", "dev/shm")
MARK = "@@@"
MOST_LINES, KEPT = 44, 14
WIDTH = 100


@dataclass
class Typed:
    """A command, what it said, and how long it took."""

    command: str
    code: int = 0
    took_s: float = 0.0
    lines: list[str] = field(default_factory=list)


class Machine:
    """The minimal system, and who types on it."""

    def __init__(self, base: Path, copied: Sequence[str], variables: Sequence[str]) -> None:
        self.base = base
        self.variables = [*variables, f"PIP_FIND_LINKS={WHEELS}", "PIP_DISABLE_PIP_VERSION_CHECK=1"]
        self.home = base / "home" / USER
        if not self.home.exists():
            self._call("root", f"useradd --create-home --uid {UID} --shell /bin/bash {USER}")
        for path in ("/etc/resolv.conf", *copied):
            (base / path[1:]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, base / path[1:])
        for path in (CLONE, WHEELS):
            shutil.rmtree(base / path[1:], ignore_errors=True)
        subprocess.run(["git", "clone", "-q", "--bare", REPOSITORY, base / CLONE[1:]], check=True)
        shutil.copytree(REPOSITORY / "build" / "dist", base / WHEELS[1:])
        self._call("root", f"chown -R {USER}:{USER} /srv")
        for name in MOUNTED:
            subprocess.run(["mount", "--bind", f"/{name}", base / name], check=True)

    def close(self) -> None:
        """Take away what was mounted."""
        for name in reversed(MOUNTED):
            subprocess.run(["umount", "--lazy", self.base / name], check=False)

    def write_files(self) -> None:
        """Write the files that the pages tell to write."""
        pages = REPOSITORY / "docs" / "how-to"
        own = (pages / "own-workflow.md").read_text(encoding="utf-8")
        python = (pages / "python.md").read_text(encoding="utf-8")
        for path, text in {
            "own-workflow/Snakefile": re.search(r"```python\n(.*?)```", own, re.S)[1],
            "own-workflow/profiles/batch/config.yaml": re.search(r"```yaml\n(.*?)```", own, re.S)[
                1
            ],
            "first.py": "\n".join(re.findall(r"```python\n(.*?)```", python, re.S)),
        }.items():
            (self.home / path).parent.mkdir(parents=True, exist_ok=True)
            (self.home / path).write_text(text, encoding="utf-8")
        self._call("root", f"chown -R {USER}:{USER} /home/{USER}")

    def type(self, user: str, commands: Sequence[str]) -> Iterator[Typed]:
        """Type commands into one shell, and yield each when it is done."""
        shell = subprocess.Popen(
            self._chroot(user, "bash"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._feed, args=(shell, commands), daemon=True).start()
        typed, began = None, 0.0
        for line in shell.stdout:
            if line.startswith(f"{MARK}begin "):
                typed, began = Typed(commands[int(line.split()[1])]), time.monotonic()
                if typed.command.endswith("-- bash"):
                    yield typed
            elif line.startswith(f"{MARK}end ") and typed is not None:
                typed.code, typed.took_s = int(line.split()[1]), time.monotonic() - began
                yield typed
                typed = None
            elif typed is not None and line.strip():
                typed.lines.append(line.rstrip().replace(f"/home/{USER}", "~"))
                if typed.command == VIEW and "http://" in line:
                    look(re.search(r"http://\S+", line)[0])

    def _feed(self, shell: "subprocess.Popen[str]", commands: Sequence[str]) -> None:
        for number, command in enumerate(commands):
            nested = command.endswith("-- bash")
            real = command.replace("CLONE", f"file://{CLONE}")
            shell.stdin.write(f"echo '{MARK}begin {number}'\n")
            shell.stdin.write(f"{real}\n" if nested else f"{{ {real}; }} < /dev/null\n")
            shell.stdin.write("" if nested else f'echo "{MARK}end $?"\n')
        shell.stdin.close()

    def _chroot(self, user: str, *command: str) -> list[str]:
        uid = UID if user == USER else 0
        home = f"/home/{USER}" if uid else "/root"
        kept = [f"HOME={home}", "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "TERM=dumb"]
        who = ["chroot", f"--userspec={uid}:{uid}", str(self.base)]
        there = ["env", "-i", "-C", home, *kept, "LANG=C.UTF-8", f"COLUMNS={WIDTH}"]
        return [*who, *there, *self.variables, *command]

    def _call(self, user: str, command: str) -> None:
        subprocess.run(self._chroot(user, "sh", "-c", command), check=True)


def look(url: str) -> None:
    """Take a picture of the viewer's page, as the stranger's browser shows it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1200, "height": 560})
        page.goto(url)
        page.wait_for_selector("#z[data-level='0']")
        page.wait_for_selector("#x[data-level]", state="attached")
        page.screenshot(path=IMAGES / "first-hour-view.png")
        browser.close()


def live(machine: Machine, way: Way) -> list[Typed]:
    """Type everything of a way, and return it as it went."""
    went = []
    for user, commands in way.parts:
        for typed in machine.type(user, commands):
            print(f"{way.name}: {typed.took_s:6.1f} s  {typed.code}  {typed.command}", flush=True)  # noqa: T201
            if user == "root":
                typed.command = f"sudo {typed.command}"
            went.append(typed)
    return went


def transcript(went: Sequence[Typed]) -> str:
    """Return what was typed and said, long answers without their middle."""
    lines = []
    for typed in went:
        lines.append(f"$ {typed.command.replace('CLONE', 'https://.../tomobatch')}")
        said = typed.lines
        if len(said) > MOST_LINES:
            between = f"[... {len(said) - 2 * KEPT} more lines ...]"
            said = [*said[:KEPT], between, *said[-KEPT:]]
        lines += [line[:160] for line in said]
    return "\n".join(lines)


def draw(name: str, text: str) -> None:
    """Draw the end of a transcript as a terminal shows it."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), color_system="truecolor")
    console.print(Text("\n".join(text.splitlines()[-MOST_LINES:])))
    console.save_svg(str(IMAGES / f"first-hour-{name}.svg"), title="a terminal")


def page(lived: dict[Way, list[Typed]], base: Path) -> str:
    """Return the page."""
    release = (base / "etc" / "debian_version").read_text(encoding="utf-8").strip()
    lines = [
        "# A stranger's first hour",
        "",
        f"Four ways to begin, typed by a plain user into a minimal Debian {release} that holds",
        "Python, git and make and nothing else, and shown as they went. `docs/make_first_hour.py`",
        f"types them again. {n_usable_cores()} cores, load {os.getloadavg()[0]:.0f}, downloads",
        "included. Lines read are those up to the first result, without what is typed.",
        "",
        "| way | minutes to the first result | lines read |",
        "|---|--:|--:|",
    ]
    for way, went in lived.items():
        upto = 1 + next(
            n
            for n, typed in enumerate(went)
            if typed.command == way.first_result and not typed.code
        )
        minutes = sum(typed.took_s for typed in went[:upto]) / 60
        n_lines = sum(len(typed.lines) for typed in went[:upto])
        lines.append(f"| {way.title} | {minutes:.1f} | {n_lines} |")
    for way, went in lived.items():
        text = transcript(went)
        draw(way.name, text)
        lines += ["", f"## {way.title}", "", way.said, ""]
        if way.name == "laptop":
            lines += ["![The viewer](../images/first-hour-view.png)", ""]
        lines += [f"![The end of it](../images/first-hour-{way.name}.svg)", ""]
        lines += ["```text", text, "```"]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Live the ways that are asked for, and write the page of all that were lived."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("base", type=Path)
    parser.add_argument("ways", nargs="*", default=[way.name for way in WAYS])
    parser.add_argument("--copy", action="append", default=[])
    parser.add_argument("--set", action="append", default=[])
    options = parser.parse_args()
    LIVED.mkdir(parents=True, exist_ok=True)
    machine = Machine(options.base, options.copy, options.set)
    try:
        machine.write_files()
        for way in WAYS:
            if way.name in options.ways:
                went = [asdict(typed) for typed in live(machine, way)]
                (LIVED / f"{way.name}.json").write_text(json.dumps(went), encoding="utf-8")
    finally:
        machine.close()
    lived = {
        way: [Typed(**each) for each in json.loads(path.read_text(encoding="utf-8"))]
        for way in WAYS
        if (path := LIVED / f"{way.name}.json").is_file()
    }
    PAGE.write_text(page(lived, options.base), encoding="utf-8")


if __name__ == "__main__":
    main()
