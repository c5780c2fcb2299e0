"""A container engine for tests: the one that runs, or one of our own where we are root."""

import contextlib
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
BASE = "tomobatch-test-base:trixie"
NEEDED = ("dockerd", "containerd", "docker", "debootstrap")
STORE = Path.home() / ".cache" / "tomobatch-test-engine"


class NoEngine(Exception):
    """No container engine runs here, and none can be started."""


@dataclass(frozen=True)
class Engine:
    """A running engine, and the image that ours is built on."""

    environment: dict[str, str]
    base: str

    def docker(self, *words, check=True, **options):
        """Run a docker command and return what it printed."""
        return subprocess.run(
            ["docker", *map(str, words)],
            env={**os.environ, **self.environment},
            check=check,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            **options,
        )


@contextlib.contextmanager
def running_engine(folder):
    """Give the engine that runs on this machine, else start one and stop it afterwards.

    Raises
    ------
    NoEngine
        Saying what is missing.
    """
    present = Engine({}, "debian:trixie-slim")
    if shutil.which("docker") and present.docker("info", check=False).returncode == 0:
        yield present
        return
    missing = [tool for tool in NEEDED if shutil.which(tool) is None]
    if os.geteuid() != 0 or missing:
        raise NoEngine(
            "no container engine runs, and one can be started by root only, with Debian's docker.io"
            f" and debootstrap (not found: {', '.join(missing) or 'nothing'})"
        )
    with own_engine(folder) as engine:
        make_base(engine, folder)
        yield engine


@contextlib.contextmanager
def own_engine(folder):
    """Start an engine without any network of its own; images stay for the next time."""
    socket, log = folder / "docker.sock", folder / "dockerd.log"
    with log.open("w") as output:
        daemon = subprocess.Popen(
            [
                *("dockerd", "--iptables=false", "--bridge=none", "--host", f"unix://{socket}"),
                *("--data-root", STORE, "--exec-root", folder / "exec"),
                *("--pidfile", folder / "dockerd.pid"),
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    # Without buildx, docker's present client builds as the older ones did only when asked to.
    engine = Engine({"DOCKER_HOST": f"unix://{socket}", "DOCKER_BUILDKIT": "0"}, BASE)
    try:
        wait_until_ready(engine, daemon, log)
        yield engine
    finally:
        daemon.terminate()
        daemon.wait(timeout=60)
        # It leaves the network of containers mounted, and the folder could not be removed.
        network = folder / "exec/netns/default"
        if network.exists():
            subprocess.run(["umount", network], check=True)


def wait_until_ready(engine, daemon, log):
    deadline = time.monotonic() + 60
    while engine.docker("info", check=False).returncode != 0:
        if daemon.poll() is not None or time.monotonic() > deadline:
            raise NoEngine(f"dockerd does not start here: {log.read_text()[-600:]}")
        time.sleep(0.2)


def make_base(engine, folder):
    """Import Debian 13 as debootstrap makes it, with this machine's certificates for PyPI."""
    if engine.docker("image", "inspect", BASE, check=False).returncode == 0:
        return
    root = folder / "trixie"
    subprocess.run(
        ["debootstrap", "--variant=minbase", "--include=ca-certificates", "trixie", root],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    for rest in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale"):
        shutil.rmtree(root / rest)
    (root / "var/cache/apt/archives/partial").mkdir(parents=True)
    shutil.copy(CERTIFICATES, root / "etc" / "machine-certificates.pem")
    with subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE) as tar:
        engine.docker(
            "import",
            "--change",
            "ENV PIP_CERT=/etc/machine-certificates.pem",
            "-",
            BASE,
            stdin=tar.stdout,
        )
    shutil.rmtree(root)
