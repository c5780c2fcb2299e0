"""What a stranger types in the first hour: the four ways of docs/make_first_hour.py."""

from collections.abc import Sequence
from dataclasses import dataclass

USER = "reader"
VIEW = "timeout -s INT 40 tomobatch view results/demo"


@dataclass(frozen=True, eq=False)
class Way:
    """One way to begin: what is typed, by whom, and after which command there is a result."""

    name: str
    title: str
    said: str
    parts: Sequence[tuple[str, Sequence[str]]]
    first_result: str


WAYS = (
    Way(
        "laptop",
        "On a laptop, with a scan",
        "The README, from the clone to a study of one's own. The scan is the demo's.",
        (
            (USER, ("git clone -q CLONE tomobatch", "cd tomobatch", "make demo")),
            ("root", ("apt-get install -qq -y gcc libc6-dev > /dev/null",)),
            (
                USER,
                (
                    "cd tomobatch",
                    "make demo",
                    ". .venv/bin/activate",
                    "tomobatch inspect scans/demo.h5",
                    "tomobatch init ~/study scans/demo.h5",
                    "cd ~/study",
                    "snakemake --profile profiles/local -n",
                    "tomobatch run --local",
                    VIEW,
                ),
            ),
        ),
        "make demo",
    ),
    Way(
        "account",
        "With an account, as its operator",
        "From an empty account, an emulated one whose jobs really run, to the volume and back.",
        (
            (
                USER,
                (
                    "python3 -m venv account && . account/bin/activate",
                    'pip install -q "tomobatch[emulator]"',
                    "tomobatch phantom tooth.h5",
                    "tomobatch init operated tooth.h5",
                    "cd operated",
                    "aws-batch-emulator run --as administrator --no-stack"
                    " --env TOMOBATCH_DEVICE=cpu -- bash",
                    "tomobatch setup --yes",
                    "tomobatch estimate --offline",
                    "tomobatch run --detach --yes",
                    "tomobatch status --watch",
                    "tomobatch cost --offline",
                    "tomobatch fetch",
                    "tomobatch teardown --yes",
                ),
            ),
        ),
        "tomobatch fetch",
    ),
    Way(
        "own-workflow",
        "With a workflow of one's own, the executor alone",
        "The page [Own workflow, own account](../how-to/own-workflow.md), with its two files.",
        (
            (
                USER,
                (
                    "python3 -m venv own && . own/bin/activate",
                    "pip install -q snakemake-executor-plugin-aws-batch-array"
                    " snakemake-storage-plugin-s3 aws-batch-emulator",
                    "cd own-workflow",
                    "aws-batch-emulator run -- snakemake --profile profiles/batch",
                ),
            ),
        ),
        "aws-batch-emulator run -- snakemake --profile profiles/batch",
    ),
    Way(
        "python",
        "From Python",
        "The page [From Python](../how-to/python.md), its blocks in one file.",
        (
            (
                USER,
                (
                    "python3 -m venv python && . python/bin/activate",
                    "pip install -q tomobatch",
                    "python first.py",
                ),
            ),
        ),
        "python first.py",
    ),
)
