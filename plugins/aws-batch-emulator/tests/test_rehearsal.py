"""The account whose clock can be turned: its bill by hand, and what it does with machines."""

import math
from dataclasses import replace

import pytest

from aws_batch_emulator.rehearsal import Rehearsal
from aws_batch_emulator.rehearsal_world import Day

DAY = Day(
    look_every=30,
    launch=20,
    boot=50,
    gpu_boot=40,
    container=15,
    reuse=10,
    stays=200,
    reclaim_hours=math.inf,
    spot=0.4,
    gpu_spot=0.45,
    speed=1.0,
    mb_s=80,
)


def account(seed=1, *, reclaims=0.0, **changed):
    return Rehearsal(seed, day=replace(DAY, **changed), reclaims=reclaims)


def test_the_bill_of_one_machine_to_the_cent():
    rehearsal = account()
    rehearsal.run_array("cpu", 4, 1000, [[100.0]])
    rehearsal.wind_down()
    rehearsal.writes, rehearsal.reads = 2000, 5000

    (host,) = rehearsal.hosts["cpu"]
    _, _, begins, _ = rehearsal.starts[0]
    assert host.asked < host.running < host.usable <= begins
    # Its work ends within a second of 100, then it stays.
    assert host.stopped == pytest.approx(begins + 100 + 200, abs=2)
    hours = math.ceil(host.stopped - host.running) / 3600
    bill = rehearsal.bill()
    assert bill["machines"] == pytest.approx(hours * host.usd_hour)
    assert bill["volumes"] == pytest.approx(hours * (100 * 0.08 + 125 * 0.04) / 730)
    assert bill["addresses"] == pytest.approx(hours * 0.005)
    assert bill["requests"] == pytest.approx(0.01 + 0.002)


def test_a_minute_is_billed_at_least():
    rehearsal = account(stays=1, boot=1, container=1, launch=5)
    rehearsal.run_array("cpu", 4, 1000, [[1.0]])
    rehearsal.wind_down()

    (host,) = rehearsal.hosts["cpu"]
    assert host.stopped - host.running < 60
    assert rehearsal.bill()["addresses"] == pytest.approx(0.005 / 60)


def test_children_share_machines_and_machines_serve_again():
    rehearsal = account()
    rehearsal.run_array("cpu", 2, 1000, [[50.0]] * 8)
    n_hosts = len(rehearsal.hosts["cpu"])
    rehearsal.wait(20)
    rehearsal.run_array("cpu", 4, 1000, [[50.0]])

    assert sum(host.cores for host in rehearsal.hosts["cpu"]) >= 16
    assert len(rehearsal.hosts["cpu"]) == n_hosts <= 4


def test_a_gpu_serves_one_child():
    rehearsal = account()
    rehearsal.run_array("gpu", 4, 1000, [[30.0]] * 3)

    assert len(rehearsal.hosts["gpu"]) == 3
    assert all(host.kind.startswith("g") for host in rehearsal.hosts["gpu"])


def test_a_machine_that_is_taken_back_is_billed_until_then_and_its_child_starts_again():
    rehearsal = account(reclaims=1.0, reclaim_hours=0.05)
    rehearsal.run_array("cpu", 4, 1000, [[30.0] * 20] * 3)
    rehearsal.wind_down()

    tried = [task for task, *_ in rehearsal.starts]
    assert rehearsal.reclaimed > 0
    assert len(tried) > len(set(map(id, tried))) == 3
    assert all(host.stopped <= rehearsal.now for host in rehearsal.hosts["cpu"])


def test_a_queue_has_no_more_cores_than_it_may():
    rehearsal = Rehearsal(1, day=DAY, most_cores=8, reclaims=0.0)
    rehearsal.run_array("cpu", 4, 1000, [[40.0]] * 6)

    assert sum(host.cores for host in rehearsal.hosts["cpu"]) <= 8


def test_a_seed_is_a_day():
    assert Rehearsal(3).day == Rehearsal(3).day
    assert Rehearsal(3).day != Rehearsal(4).day


def test_the_bill_of_a_task_to_the_cent():
    """A task is billed from when it fetches its image, and nothing stays after its work."""
    rehearsal = account(task_start=30, task_spot=0.3)
    rehearsal.run_array("fargate", 4, 8192, [[100.0], [10.0]])
    rehearsal.wind_down()

    long, short = rehearsal.hosts["fargate"]
    assert long.asked + 20 < long.running < long.usable
    for host, lasts in ((long, 100), (short, 10)):
        begins = next(begins for _, where, begins, _ in rehearsal.starts if where is host)
        assert host.stopped == pytest.approx(begins + lasts, abs=2)
        assert host.usd_hour == pytest.approx(0.3 * (4 * 0.04048 + 8 * 0.004445))
    hours = (math.ceil(long.stopped - long.running) + 60) / 3600
    bill = rehearsal.bill()
    assert bill["machines"] == pytest.approx(hours * long.usd_hour)
    assert bill["volumes"] == pytest.approx(hours * 10 * 0.000111)
    assert bill["addresses"] == pytest.approx(hours * 0.005)


def test_an_account_starts_so_many_tasks_at_once_and_then_so_many_a_second():
    rehearsal = account(task_start=10)
    rehearsal.submit_array("fargate", 1, 2048, [[1000.0]] * 150)
    rehearsal.wait(8)
    asked = sorted(host.asked for host in rehearsal.hosts["fargate"])

    assert len(asked) == 150
    assert asked.count(asked[0]) == 100
    assert asked[120] >= asked[0] + 2


@pytest.mark.parametrize("queue", ["cpu", "fargate"])
def test_children_that_stay_take_what_is_there_and_end_when_they_may(queue):
    rehearsal = account()
    crew = rehearsal.start_crew(queue, 4, 8192, 3, 2.0)
    rehearsal.run_commands(crew, [30.0] * 6)
    began = min(begins for *_, begins, _ in rehearsal.starts)
    # Two rounds, each child with its first second later than the first machine's.
    assert rehearsal.now - began < 2 + 3 * 30 + 60
    rehearsal.run_commands(crew, [10.0])
    last = rehearsal.now
    rehearsal.dismiss(crew)
    rehearsal.wind_down()

    assert len(rehearsal.starts) == 3
    assert crew.left == 0
    assert crew.looks > 0
    left = [host.stopped - last for host in rehearsal.hosts[queue]]
    lingered = DAY.stays if queue == "cpu" else 0
    assert all(lingered <= each <= lingered + 8 for each in left)


def test_what_a_child_that_is_taken_back_was_at_is_done_by_another():
    rehearsal = account(seed=3, reclaims=1.0, reclaim_hours=0.05)
    crew = rehearsal.start_crew("cpu", 4, 2000, 4, 1.0)
    rehearsal.run_commands(crew, [40.0] * 40)
    rehearsal.dismiss(crew)
    rehearsal.wind_down()

    assert rehearsal.reclaimed > 0
    assert crew.left == 0
    assert len(rehearsal.starts) > 4


def test_no_machine_is_started_that_holds_none_of_those_who_wait():
    rehearsal = account()
    rehearsal.run_array("cpu", 1, 20_000, [[10.0]] * 4)

    assert all(host.mib >= 20_000 for host in rehearsal.hosts["cpu"])
