"""How pilots end, and what the next controller makes of them."""

from dataclasses import replace

from snakemake_executor_plugin_aws_batch_array.left import Demand
from snakemake_executor_plugin_aws_batch_array.pilots.channel import StoreChannel
from snakemake_executor_plugin_aws_batch_array.pilots.fleet import Fleet
from snakemake_executor_plugin_aws_batch_array.status import Status
from snakemake_executor_plugin_aws_batch_array.verdicts import SUCCESS

RUNNING, RUNNABLE, FAILED = Status.RUNNING, Status.RUNNABLE, Status.FAILED


def test_at_the_end_pilots_are_told_and_those_that_never_ran_are_ended(
    controller, batch, channel, monkeypatch, start
):
    start(controller, RUNNING, RUNNABLE, RUNNING)
    closing = Fleet.close

    def close(self):
        closing(self)
        for pilot in (0, 2):
            batch.details[f"job1:{pilot}"] = replace(
                batch.details[f"job1:{pilot}"], status=Status.SUCCEEDED
            )

    monkeypatch.setattr(Fleet, "close", close)
    ending = batch.terminate

    def terminate(job_id, reason):
        ending(job_id, reason)
        batch.details[job_id] = replace(batch.details[job_id], status=FAILED)

    monkeypatch.setattr(batch, "terminate", terminate)

    assert controller.dismiss() == []
    assert batch.terminated == ["job1:1"]
    assert channel.look(batch.submissions[0].name).control.closed


def test_ctrl_c_ends_the_array_once_and_nothing_begins(
    controller, batch, run, parcel, channel, start
):
    start(controller)
    controller.submit(run, replace(parcel, rule="b"))

    assert controller.cancel("enough") == []
    assert batch.terminated == ["job1"]
    assert channel.look(batch.submissions[0].name).control.closed
    assert controller.dismiss() == []


def test_the_next_controller_takes_pilots_and_lists_over(
    new_controller, controller, batch, run, parcel, report, warned, start, verdicts
):
    tickets = start(controller)
    report(tickets[0].list_name, 0, 0)
    report(tickets[0].list_name, 1, 2, exit_code=None)

    second = new_controller()
    claimed = [second.claim(command, Demand()) for command in parcel.commands]

    assert claimed == tickets
    assert verdicts(second, claimed) == [SUCCESS, None, None, None, None]
    second.submit(run, replace(parcel, rule="b"))
    assert len(batch.submissions) == 1
    # The first is alive after all: it says so, and what it has goes to an array.
    controller.submit(run, replace(parcel, rule="c"))
    assert any("Another controller" in line for line in warned)
    assert [each.n_children for each in batch.submissions] == [3, 2]


def test_pilots_without_a_list_are_taken_over_too(
    new_controller, controller, batch, run, parcel, report, start, verdicts
):
    tickets = start(controller)
    for index in range(5):
        report(tickets[0].list_name, 0, index)
    verdicts(controller, tickets)
    for ticket in tickets:
        controller.settle(ticket)

    second = new_controller()
    second.submit(run, replace(parcel, rule="b"))

    assert len(batch.submissions) == 1


def test_pilots_of_another_workflow_whose_controller_is_there_are_left_alone(
    new_controller, controller, batch, channel, start
):
    start(controller)

    new_controller(wanted=frozenset({"other"}))

    assert channel.look(batch.submissions[0].name).control.generation == 1


def test_what_is_refused_is_withdrawn_or_its_pilot_ended(
    new_controller, controller, batch, parcel, report, start
):
    tickets = start(controller)
    name = tickets[0].list_name
    report(name, 1, 2, exit_code=None)
    second = new_controller()
    commands = [
        replace(command, identity="changed") if index in (2, 3) else command
        for index, command in enumerate(parcel.commands)
    ]
    claimed = [second.claim(command, Demand()) for command in commands]
    batch.details["job1:1"] = replace(batch.details["job1:1"], status=FAILED, n_ended=1)

    assert second.end_refused() == []
    assert [ticket is None for ticket in claimed] == [False, False, True, True, False]
    assert batch.terminated == ["job1:1"]
    assert StoreChannel(second._store).read_claim(name, 3).pilot == -1


def test_a_storage_without_conditions_gets_arrays_by_step(
    controller, batch, run, parcel, channel, warned, monkeypatch
):
    put = channel._put
    monkeypatch.setattr(channel, "_put", lambda path, body, over: put(path, body, over) or "tag")

    controller.submit(run, parcel)

    assert [each.n_children for each in batch.submissions] == [2]
    assert "no conditional writes" in warned[0]


def test_without_the_setting_nothing_is_asked_or_written_for_pilots(
    new_controller, run, parcel, real_store
):
    new_controller(n_pilots=None).submit(run, parcel)

    reply = real_store.s3.list_objects_v2(Bucket="bucket")
    assert [item["Key"].split("/")[2] for item in reply["Contents"]] == ["lists"]
    body = real_store.s3.get_object(Bucket="bucket", Key=reply["Contents"][0]["Key"])["Body"].read()
    assert b"pilots" not in body
