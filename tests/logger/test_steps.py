"""What a run says on a terminal and in a pipe, by a small workflow of its own."""

import os
import subprocess
from pathlib import Path

import pexpect
import pytest
from tests.warm_start import python

from snakemake_logger_plugin_steps.failures import Failures

WORKFLOW = """
N = int(config["parts"])
if N < 0:
    raise WorkflowError("parts: none\\nof them")

onstart:
    if N == 7:
        raise WorkflowError(f"parts: {N} are odd")

rule all:
    input: expand("out/{scan}-{i}.done", scan="tooth", i=range(N)), "out/tooth.sum"

rule lay_out_parts:
    output: "out/{scan}.layout"
    shell: "touch {output}"

rule part:
    input: "out/{scan}.layout"
    output: "out/{scan}-{i}.done"
    log: "logs/{scan}-{i}.log"
    shell: "echo warning: dim beam in {wildcards.i} > {log}; "
        "test {wildcards.i} -lt {config[good]} || {{ echo error: lens cap on >> {log}; exit 1; }}; "
        "touch {output}"

rule summary:
    input: expand("out/{{scan}}-{i}.done", i=range(N))
    output: "out/{scan}.sum"
    shell: "touch {output}"
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "Snakefile").write_text(WORKFLOW)
    return tmp_path


def command(*arguments, good=999, parts=4):
    base = [str(python()), "-m", "snakemake", "--cores", "2", "--logger", "steps"]
    return [*base, "--config", f"good={good}", f"parts={parts}", "--keep-going", *arguments]


def run(folder, *arguments, code=0, **config):
    done = subprocess.run(
        command(*arguments, **config),
        cwd=folder,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == code, done.stdout
    return done.stdout.splitlines()


def test_a_pipe_gets_a_line_a_step_and_every_warning(folder):
    lines = run(folder)
    assert lines[0] == "5 jobs: part 4, summary 1"
    assert sorted(line for line in lines if "warning" in line) == [
        f"warning: tooth: dim beam in {i}" for i in range(4)
    ]
    assert [line.split()[:2] for line in lines if " done in " in line] == [
        ["part", "4/4"],
        ["summary", "1/1"],
    ]
    assert len(lines) == 7


def test_what_a_workflow_refuses_is_one_line(folder):
    lines = run(folder, code=1, parts=7)
    assert lines == ["8 jobs: part 7, summary 1", "error: parts: 7 are odd"]
    assert run(folder, code=1, parts=-1) == ["error: parts: none", "of them"]


def test_a_failure_names_the_job_its_log_and_the_line_for_the_user_once(folder):
    lines = run(folder, good=1, code=1)
    told = [line for line in lines if "FAILED" in line or "lens cap" in line]
    assert len(told) == 2, lines
    assert told[0].startswith("FAILED part of scan tooth, i ")
    assert ": logs/tooth-" in told[0]
    assert told[1].strip() == "error: lens cap on"
    assert lines[-1].startswith("3 attempts of jobs failed; all that was said: ")
    log = Path(lines[-1].rpartition(": ")[2])
    assert "Error in rule part" in log.read_text()


def test_a_dry_run_of_many_jobs_is_one_table(folder):
    lines = run(folder, "-n", parts=600)
    assert len(lines) < 15
    assert ["part", "600"] in [line.split() for line in lines]
    assert lines[-1] == "A dry run: nothing was done."


def test_a_dry_run_tells_why_a_finished_step_runs_again(folder):
    run(folder)
    text = (folder / "Snakefile").read_text()
    (folder / "Snakefile").write_text(text.replace("echo warning: dim", "echo warning: very dim"))
    assert "part: Code has changed since last execution" in run(folder, "-n")


def test_a_finished_workflow_says_so(folder):
    run(folder)
    assert any("Nothing to be done" in line for line in run(folder))


def test_a_mistake_in_the_workflow_is_told(folder):
    (folder / "Snakefile").write_text("rule all:\n    input: 'no/such/file'\n")
    assert "no/such/file" in "\n".join(run(folder, code=1))


def test_verbose_brings_back_all_that_snakemake_says(folder):
    text = "\n".join(run(folder, "--verbose"))
    assert "rule part:" in text
    assert "Finished jobid: 0 (Rule: all)" in text
    assert "warning: tooth" not in text


def test_a_terminal_gets_a_bar_a_step(folder):
    arguments = command()
    terminal = pexpect.spawn(
        arguments[0],
        arguments[1:],
        cwd=folder,
        env={**os.environ, "TERM": "xterm-256color"},
        dimensions=(30, 100),
        encoding="utf-8",
        timeout=120,
    )
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0, terminal.before
    assert "4/4" in terminal.before
    assert "1/1" in terminal.before
    assert "warning: tooth: dim beam in 3" in terminal.before
    assert "lay_out_parts" not in terminal.before


def test_of_a_job_that_ran_elsewhere_the_executors_words_are_told():
    said = []
    failures = Failures(said.append)
    told = [
        "AWS Batch job 7 ended with an error (exit code 1, 1 attempt)",
        "Last lines of log /lab/jobs gpu:",
        "error: device: gpu was asked for, but OpenCL lists no GPU here",
        "For further error details see the cluster/cloud log",
    ]

    failures.add("reconstruct", {"k": "0"}, {"s3://lab/logs/0.log": []}, told)

    assert said == [
        "FAILED reconstruct of k 0: s3://lab/logs/0.log",
        f"    {told[0]}",
        f"    {told[2]}",
    ]


def test_why_a_job_was_killed_elsewhere_is_told_beside_the_end_of_what_it_printed():
    said = []
    told = ["The command was killed for want of memory", "Last lines of log x:", "working", "more"]

    Failures(said.append).add("process", {}, {}, told)

    assert said[1] == "    The command was killed for want of memory"
    assert said[-2:] == ["    working", "    more"]
