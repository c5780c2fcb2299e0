"""A real Slurm of one node, of Debian's packages, started for tests and stopped afterwards."""

import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

OF_THE_MACHINE = Path("/etc/slurm/slurm.conf")
"""Where a job's own commands look: the jobstep plugin drops SLURM_CONF, with all of SLURM_*."""

PROGRAMS = ("slurmctld", "slurmd", "munged", "sbatch", "squeue", "sinfo")

CONFIGURATION = """\
ClusterName=one
SlurmctldHost={host}(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmctldPort={controller_port}
SlurmdPort={node_port}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
NodeName={host} NodeAddr=127.0.0.1 NodeHostname={host} CPUs={cores} RealMemory=6000
PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


class NoSlurm(Exception):
    """No cluster can be started here."""


@contextmanager
def running_cluster(folder: Path) -> Iterator[dict[str, str]]:
    """Start the daemons, and give the environment in which its commands find it.

    Raises
    ------
    NoSlurm
        Saying what is missing.
    """
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing or os.geteuid() != 0:
        raise NoSlurm(
            "one node of Slurm can be started by root only, with Debian's slurm-wlm and munge "
            f"(not found: {', '.join(missing) or 'nothing'})"
        )
    if is_set_up():
        raise NoSlurm(f"this machine has a Slurm of its own: {OF_THE_MACHINE}")
    write_files(folder)
    OF_THE_MACHINE.unlink(missing_ok=True)
    OF_THE_MACHINE.symlink_to(folder / "slurm.conf")
    munge = [f"--{name}={folder}/munge.{end}" for name, end in MUNGE_FILES.items()]
    environment = {"SLURM_CONF": f"{folder}/slurm.conf"}
    daemons: list[subprocess.Popen[bytes]] = []
    try:
        for command in (
            ["munged", "--foreground", "--force", *munge],
            ["slurmctld", "-D"],
            ["slurmd", "-D"],
        ):
            with (folder / f"{command[0]}.out").open("wb") as output:
                daemons.append(
                    subprocess.Popen(
                        command,
                        env={**os.environ, **environment},
                        stdout=output,
                        stderr=subprocess.STDOUT,
                    )
                )
            if command[0] == "munged":
                wait_until((folder / "munge.socket").exists, folder)
        wait_until(lambda: node_state(environment) == "idle", folder)
        yield environment
    finally:
        OF_THE_MACHINE.unlink()
        for daemon in reversed(daemons):
            daemon.terminate()
            with suppress(subprocess.TimeoutExpired):
                daemon.wait(timeout=30)
            if daemon.poll() is None:
                daemon.kill()
                daemon.wait()


def is_set_up() -> bool:
    """Tell whether this machine has a Slurm, other than what a test left that was killed."""
    if not OF_THE_MACHINE.exists():
        return False
    is_ours = OF_THE_MACHINE.is_symlink() and (
        OF_THE_MACHINE.readlink().with_name("slurmctld.out").exists()
    )
    is_running = subprocess.run(["pgrep", "-x", "slurmctld"], stdout=subprocess.DEVNULL)
    return not is_ours or is_running.returncode == 0


MUNGE_FILES = {
    "key-file": "key",
    "socket": "socket",
    "pid-file": "pid",
    "log-file": "log",
    "seed-file": "seed",
}


def write_files(folder: Path) -> None:
    """Write the configuration and the key."""
    for name in ("state", "spool"):
        (folder / name).mkdir()
    for parent in (folder, *folder.parents):
        # Munge trusts its folder only where nobody else may write, and lets everybody in.
        if parent.owner() == "root" and parent != Path("/tmp") and parent != Path("/"):
            parent.chmod(0o755)
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(1024))
    key.chmod(0o400)
    host = socket.gethostname().partition(".")[0]
    ports = free_ports(2)
    (folder / "slurm.conf").write_text(
        CONFIGURATION.format(
            host=host,
            folder=folder,
            cores=os.cpu_count(),
            controller_port=ports[0],
            node_port=ports[1],
        )
    )


def free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def node_state(environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["sinfo", "--noheader", "--format=%t"],
        env={**os.environ, **environment},
        check=False,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def wait_until(condition, folder: Path) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            logs = "\n".join(path.read_text()[-800:] for path in folder.glob("*.log"))
            raise NoSlurm(f"Slurm does not start here: {logs}")
        time.sleep(0.2)
