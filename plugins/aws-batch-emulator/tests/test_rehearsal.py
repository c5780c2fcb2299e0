"""The account whose clock can be turned: its bill by hand, and what it does with machines."""

import math
from dataclasses import replace

import pytest

from aws_batch_emulator.rehearsal import Day, Rehearsal

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
