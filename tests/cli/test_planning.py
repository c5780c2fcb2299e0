"""What a user says of the way to run, what is left to the planner, and what Snakemake is told."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from tests.estimate.test_planner import way
from tests.fleet.scans import plan_of_size

from tomobatch.aws.runs.launch import snakemake_arguments
from tomobatch.aws.runs.record import RunRecord
from tomobatch.cli.shared import planning
from tomobatch.cli.shared.front_view import Limits
from tomobatch.cli.shared.planning import PROFILE, Wish, as_planned, to_queue, told_plan
from tomobatch.errors import UserError

RECORD = RunRecord("run", "s3://b/runs/run", {}, {}, PROFILE, "ada", 1)


def plan_on(device):
    return plan_of_size(60, 12, 48, reconstruct={"device": device})


@pytest.mark.parametrize(
    ("devices", "said", "queues"),
    [
        (["auto"], None, ("cpu", "gpu")),
        (["auto"], "gpu", ("gpu",)),
        (["cpu", "auto"], None, ("cpu",)),
        (["gpu", "cpu"], None, ("gpu",)),
        (["gpu"], "gpu", ("gpu",)),
        (["cpu"], "fargate", ("fargate",)),
    ],
)
def test_what_nobody_says_is_open(devices, said, queues):
    assert Wish(queue=said).queues([plan_on(device) for device in devices]) == queues


def test_fargate_is_planned_where_there_is_a_queue_of_it():
    wish = Wish(has_fargate=True)

    assert wish.queues([plan_on("auto")]) == ("cpu", "gpu", "fargate")
    assert wish.queues([plan_on("cpu")]) == ("cpu", "fargate")
    assert wish.queues([plan_on("gpu")]) == ("gpu",)
    with pytest.raises(UserError, match=r"--queue fargate: reconstruct\.device is gpu"):
        Wish(queue="fargate").queues([plan_on("gpu")])


def test_a_queue_without_the_device_that_is_asked_for_is_refused():
    with pytest.raises(UserError, match=r"--queue cpu: reconstruct\.device is gpu in config"):
        Wish(queue="cpu").queues([plan_on("gpu")])


def test_numbers_that_are_said_are_not_changed():
    assert Wish().counts == [1, 2, 4, 8, 16, 32, 64, 100]
    assert (Wish().kinds, Wish(machines=7).kinds, Wish(pilots=7).kinds) == (
        *((False, True), (False,)),
        (True,),
    )
    assert Wish(machines=7).counts == Wish(pilots=7).counts == [7]


def test_stacks_of_before_run_an_array_a_step():
    """Their jobs have no right to claim commands: pilots would all fail."""
    before, now = {"CpuJobQueue": "cpu"}, {"PilotClaims": "s3://b/scratch/*/claims/*"}
    assert Wish().on(before).kinds == (False,)
    assert Wish(pilots=7).on(now).kinds == (True,)
    with pytest.raises(UserError, match="--pilots: the stacks are of an earlier version"):
        Wish(pilots=7).on(before)


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        (Limits(), "the knee: the least product of minutes and dollars; on the GPU queue 4 a step"),
        (Limits(budget_usd=0.30), "the fastest that keeps $0.30 in nine of ten runs; none on the"),
        (Limits(30 * 60), "the cheapest that keeps 30 minutes in nine of ten runs; on the GPU"),
    ],
)
def test_the_plan_says_why_and_what_the_other_queue_would_be(limits, told):
    ways = [way(4, 25, 0.22), way(4, 27, 0.40, "gpu")]
    line = told_plan(ways, ways[0], Wish(limits))

    assert line.startswith("Plan: 4 a step, reconstruction on the CPU queue, ")
    assert told in line
    assert told_plan(ways[:1], ways[0], Wish()).endswith("CPU queue, as asked")


def test_snakemake_is_told_all_of_the_way(tmp_path, monkeypatch):
    """With resources of other rules, which those of the command line would replace as well."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "profiles" / "default").mkdir(parents=True)
    (tmp_path / "profiles" / "default" / "config.yaml").write_text(
        "set-resources: {process: {runtime: 90}, reconstruct: {runtime: 5, queue: gpu, gpu: 1}}"
    )
    record = as_planned(RECORD, replace(way(16, 8, 0.33), pilots=True))
    again = RunRecord.from_bytes(record.to_bytes())

    told = " ".join(snakemake_arguments(again, "sheet.tsv"))
    assert (
        "--aws-batch-array-size 16 --aws-batch-array-pilots 16 --aws-batch-array-child-minutes 0"
        in told
    )
    assert to_queue(again.queue) == [
        *("--set-resources", "process:runtime=90"),
        *("reconstruct:runtime=5", "reconstruct:queue=cpu", "reconstruct:gpu=0"),
    ]
    assert to_queue(None) == []
    (tmp_path / "profiles" / "default" / "config.yaml").write_text(
        'default-resources: [mem_mb=1000, queue="cpu"]'
    )
    assert to_queue("fargate") == [
        *("--default-resources", "mem_mb=1000", 'queue="fargate"'),
        *("--set-resources", "reconstruct:queue=fargate", "reconstruct:gpu=0"),
    ]
    with pytest.raises(UserError, match="is none of cpu, gpu, fargate"):
        to_queue("__import__('os')")


def test_another_profile_says_itself_how_to_run(monkeypatch, capsys):
    monkeypatch.setattr("tomobatch.aws.runs.seen.read_seen", lambda _: [])
    plans = {"demo": plan_on("auto")}

    place = SimpleNamespace(outputs={})
    taken, estimate = planning.choose_way(place, plans, "profiles/mine", Wish(), detached=False)
    assert taken is None
    assert {step.queue for step in estimate.steps if step.step == "reconstruct"} == {"cpu"}
    assert "Plan" not in capsys.readouterr().out
    assert as_planned(RECORD, taken) == RECORD
    taken, _ = planning.choose_way(
        place, plans, "profiles/mine", Wish(machines=3, queue="cpu"), detached=True
    )
    assert (taken.most_children, taken.pilots, taken.queue) == (3, False, "cpu")
    assert as_planned(RECORD, taken).pilots is None
