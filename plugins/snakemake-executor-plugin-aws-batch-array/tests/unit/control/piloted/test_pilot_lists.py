"""What becomes of commands that pilots run."""

from dataclasses import replace

import pytest

from snakemake_executor_plugin_aws_batch_array import pilot_dispatch
from snakemake_executor_plugin_aws_batch_array.arrays import ByWork
from snakemake_executor_plugin_aws_batch_array.pilots.control import Kind
from snakemake_executor_plugin_aws_batch_array.pilots.sizes import Ahead
from snakemake_executor_plugin_aws_batch_array.pilots.watch import OVERDUE_S
from snakemake_executor_plugin_aws_batch_array.status import Status
from snakemake_executor_plugin_aws_batch_array.verdicts import SUCCESS
from snakemake_executor_plugin_aws_batch_array.watch import MISSING_S

RUNNING, RUNNABLE, FAILED = Status.RUNNING, Status.RUNNABLE, Status.FAILED


def test_one_array_takes_list_after_list(
    controller, batch, run, parcel, report, channel, start, verdicts
):
    first = start(controller)
    second = controller.submit(run, replace(parcel, rule="b"))

    (submission,) = batch.submissions
    # Not the limit of the commands, nor that of the job definition, which is made for jobs.
    assert (submission.n_children, submission.timeout_s) == (3, pilot_dispatch.LONGEST_S)
    control = channel.look(submission.name).control
    assert [offer.name for offer in control.offers] == [first[0].list_name, second[0].list_name]
    assert controller.pilots_of(first[0]) == "for 3 pilots"
    for index in range(5):
        report(first[0].list_name, index % 3, index)
    assert verdicts(controller, first) == [SUCCESS] * 5
    assert verdicts(controller, second) == [None] * 5


def test_pilots_are_as_large_as_the_steps_that_most_jobs_are_of(new_controller, batch, run, parcel):
    def ahead(memory_mib, n_jobs, vcpus=2, queue="cpu"):
        return Ahead(Kind(queue, "definition:1", vcpus, memory_mib, 0), n_jobs)

    rules = [ahead(9000, 60), ahead(8000, 40, 8), ahead(17000, 1), ahead(19000, 1)]
    controller = new_controller(ahead=[*rules, ahead(9500, 50, 2, "gpu"), ahead(100, 1, 17)])
    controller.submit(run, parcel)

    assert [(each.memory_mib, each.vcpus) for each in batch.submissions] == [(17000, 8)]


@pytest.mark.parametrize(
    ("n_ahead", "known", "n_pilots"),
    [(20, True, 27), (20, False, 27), (900, True, 50), (2, True, 9)],
)
def test_pilots_are_no_more_than_there_are_jobs(
    new_controller, batch, run, parcel, n_ahead, known, n_pilots
):
    kind = Kind("cpu", "definition:1", 1, 100, 0) if known else None
    ahead = [
        Ahead(kind, n_ahead),
        Ahead(kind, 7),
        Ahead(Kind("gpu", "definition:2", 1, 100, 1), 300),
    ]
    new_controller(n_pilots=50, ahead=ahead).submit(run, parcel)

    assert [each.n_children for each in batch.submissions] == [n_pilots]


@pytest.mark.parametrize(
    ("works_s", "n_pilots"),
    [((1300, 500), 8), ((10, 10), 3), ((1300, None), 27), ((90_000, 500), 27)],
)
def test_pilots_are_no_more_than_their_work_is_worth(
    new_controller, batch, run, parcel, works_s, n_pilots
):
    """Three are what an array of the first step would have; the others by the work of all steps."""
    kind = Kind("cpu", "definition:1", 1, 100, 0)
    ahead = [Ahead(kind, n, work_s) for n, work_s in zip((20, 7), works_s, strict=True)]
    ahead.append(Ahead(Kind("gpu", "definition:2", 1, 100, 1), 300, 90_000))
    controller = new_controller(n_pilots=50, ahead=ahead, by_work=ByWork(240))
    for _ in range(2):
        controller.submit(run, replace(parcel, n_children=3))

    assert [each.n_children for each in batch.submissions] == [n_pilots]


def test_a_step_of_more_jobs_than_was_known_gets_more_pilots(new_controller, batch, run, parcel):
    controller = new_controller(n_pilots=4, ahead=[])
    few = replace(parcel, commands=parcel.commands[:1], n_children=1)
    many = replace(parcel, n_children=5)
    for commands in (few, many, few, many):
        controller.submit(run, commands)

    assert [each.n_children for each in batch.submissions] == [1, 4]


@pytest.mark.parametrize(
    ("more", "n_children"),
    [
        ({"memory_mib": 3001}, 2),
        ({"vcpus": 3}, 2),
        ({"gpus": 1, "n_children": 5}, 3),
        ({"definition": "d:2", "n_children": 5}, 3),
    ],
)
def test_what_needs_more_gets_an_array_and_what_needs_another_machine_pilots(
    controller, batch, run, parcel, more, n_children, start
):
    start(controller)
    controller.submit(run, replace(parcel, rule="b", **more))

    assert [each.n_children for each in batch.submissions] == [3, n_children]


def test_pilots_that_are_over_are_followed_by_others(controller, batch, run, parcel, start):
    start(controller)
    batch.set("job1", FAILED, children=[FAILED] * 3)
    controller.submit(run, replace(parcel, rule="b"))

    assert [each.n_children for each in batch.submissions] == [3, 3]


def test_a_command_that_fails_is_told_at_once_with_the_log_of_its_attempt(
    controller, batch, report, start, verdicts
):
    tickets = start(controller)
    batch.details["job1:1"] = replace(batch.details["job1:1"], log_stream="stream1")
    report(tickets[0].list_name, 1, 2, exit_code=3)

    found = verdicts(controller, tickets)

    assert [each is not None for each in found] == [False, False, True, False, False]
    assert "job1:1 ended with an error (exit code 3, 1 attempt)" in found[2].message
    assert "Last lines of log group stream1:\nthe log" in found[2].message


def test_what_a_reclaimed_pilot_was_at_is_freed(
    controller, batch, report, ended, channel, start, verdicts
):
    tickets = start(controller)
    name = tickets[0].list_name
    report(name, 0, 0)
    report(name, 0, 1, exit_code=None)
    report(name, 1, 2, exit_code=None)
    ended(0, 1, RUNNABLE)

    assert verdicts(controller, tickets) == [SUCCESS, None, None, None, None]
    (offer,) = channel.look(batch.submissions[0].name).control.offers
    assert offer.freed == {1: channel.claim_tags(name)[1]}


def test_what_a_pilot_was_at_that_is_over_has_failed_and_no_more(
    controller, report, ended, start, verdicts
):
    tickets = start(controller)
    report(tickets[0].list_name, 0, 1, exit_code=None)
    ended(0, 1, FAILED)

    found = verdicts(controller, tickets)

    assert [each is None for each in found] == [True, False, True, True, True]
    assert "AWS Batch job job1:0 failed" in found[1].message


def test_when_no_pilot_is_left_all_is_decided(controller, batch, report, start, verdicts):
    tickets = start(controller)
    report(tickets[0].list_name, 2, 0)
    batch.set("job1", FAILED, children=[FAILED] * 3)

    found = verdicts(controller, tickets)

    assert found[0] == SUCCESS
    assert all("all ended before this command began" in each.message for each in found[1:])


def test_a_pilot_that_hangs_over_the_time_limit_is_ended(
    controller, batch, parcel, report, ended, start, verdicts
):
    tickets = start(controller)
    report(tickets[0].list_name, 1, 2, exit_code=None)
    verdicts(controller, tickets, 0)
    verdicts(controller, tickets, parcel.command_timeout_s + OVERDUE_S - 1)
    assert batch.terminated == []
    verdicts(controller, tickets, parcel.command_timeout_s + OVERDUE_S + 40)
    assert batch.terminated == ["job1:1"]
    ended(1, 1, FAILED)

    found = verdicts(controller, tickets, 1000)

    assert found[2].message.startswith("The command ran longer than 100 s and was ended")


def test_pilots_that_batch_does_not_know_any_more_are_an_error(
    controller, batch, report, start, verdicts
):
    tickets = start(controller)
    report(tickets[0].list_name, 0, 4)
    batch.details.clear()
    verdicts(controller, tickets, 0)

    found = verdicts(controller, tickets, MISSING_S)

    assert found[4] == SUCCESS
    assert {each.message for each in found[:4]} == {"AWS Batch knows no job job1 any more."}


def test_pilots_without_work_give_way_to_what_waits(
    controller, batch, run, parcel, report, start, verdicts
):
    tickets = start(controller, RUNNING, RUNNABLE, RUNNABLE)
    for index in range(5):
        report(tickets[0].list_name, 0, index)
    verdicts(controller, tickets, 0)
    other = controller.submit(run, replace(parcel, rule="b", memory_mib=9000))
    batch.set("job2", Status.PENDING, children=[RUNNABLE] * 2)
    for now_s in (1, 2, 3 + pilot_dispatch.GIVE_WAY_S):
        verdicts(controller, other, now_s)

    assert batch.terminated == ["job1:1", "job1:2"]
    third = controller.submit(run, replace(parcel, rule="c"))
    assert [each.n_children for each in batch.submissions] == [3, 2, 3]
    assert controller.pilots_of(third[0])
