"""Tasks on Fargate in simulated runs, and what they cost."""

from dataclasses import replace

import pytest
from tests.fleet.known import ONE_TYPE, likely, play, stage
from tests.fleet.scans import plan_of_size

from snakemake_executor_plugin_aws_batch_array.worker.host import task_type
from tomobatch.aws.pricing import Use, cost_of
from tomobatch.estimate.estimate import estimate_run
from tomobatch.fleet.bill import Hire, Item, Traffic, bill_of
from tomobatch.fleet.figures import offline_figures
from tomobatch.fleet.machines import Fleet, has_gpu, is_task, machine_memory_mib, machine_vcpus
from tomobatch.fleet.prices import offline_prices

DAY = likely()
TASKS = replace(ONE_TYPE, tasks=True)
BILLED_FROM_S = DAY["controller_s"] + DAY["accept_s"] + DAY["task_start_s"]
PRICES = offline_prices()


def test_a_task_is_told_by_its_name():
    name = task_type(4, 8)

    assert is_task(name) and not has_gpu(name)
    assert (machine_vcpus(name), machine_memory_mib(name)) == (4, 8192)
    assert not is_task("c6i.xlarge")
    spot = (4 * 0.04048 + 8 * 0.004445) * 0.33
    assert PRICES.usd_h(name, "spot", "", 0) == pytest.approx(spot)
    assert PRICES.usd_h(name, "on-demand", "", 0) == pytest.approx(spot / 0.33)


def test_a_child_and_its_task_to_the_second():
    """No machine is decided on, none boots, none lingers, and the next step has its own tasks."""
    played = play(stage(n_jobs=2, vcpus=3, memory_mib=5000), stage("b"), fleet=TASKS, task_speed=1)

    first, second, third = played.hires
    assert first.instance_type == second.instance_type == "fargate.4vcpu-8gb"
    assert first.begin_s == pytest.approx(BILLED_FROM_S)
    assert first.first_s - first.begin_s == pytest.approx(DAY["task_pull_s"])
    assert first.end_s == pytest.approx(first.first_s + 10)
    between_s = DAY["notice_s"] + DAY["accept_s"] + DAY["task_start_s"]
    assert third.begin_s - first.end_s == pytest.approx(between_s)
    for hire in played.hires:
        assert hire.seconds()[Item.LINGER] == 0
        assert hire.billed_s == 60


def test_there_are_no_more_at_once_than_the_queue_may_have():
    fleet = replace(TASKS, task_most_vcpus=8)
    played = play(stage(n_jobs=3), fleet=fleet, task_speed=1)

    assert len(played.hires) == 3
    last = max(played.hires, key=lambda hire: hire.begin_s)
    assert last.begin_s >= min(hire.end_s for hire in played.hires)


def test_pilots_stay_in_their_tasks():
    fleet = replace(TASKS, pilots=2)
    played = play(stage(n_jobs=4), stage("b", n_jobs=2), fleet=fleet, task_speed=1)

    assert len(played.hires) == 2
    assert played.elapsed_s == pytest.approx(
        BILLED_FROM_S + DAY["task_pull_s"] + 20 + DAY["notice_s"] + 10
    )


def test_the_controller_has_a_machine_none_the_less():
    played = play(stage(n_jobs=2), fleet=TASKS, detached=True)

    types = sorted(hire.instance_type for hire in played.hires)
    assert types == ["c6i.xlarge", "fargate.4vcpu-8gb", "fargate.4vcpu-8gb"]


def test_a_task_has_storage_in_place_of_a_volume():
    task = Hire(task_type(4, 8), "spot", "", 0, 3600, 15, 3600, 3000)
    bill = bill_of([(task, 0.1)], Traffic(), Fleet(task_storage_gib=30), PRICES.beside)

    assert bill[Item.VOLUMES] == pytest.approx(10 * 0.000111)
    assert bill[Item.ADDRESSES] == pytest.approx(0.005)
    free = bill_of([(task, 0.1)], Traffic(), Fleet(task_storage_gib=20), PRICES.beside)
    assert free[Item.VOLUMES] == 0


def test_what_a_run_on_fargate_has_cost():
    use = Use(
        step="pilots",
        instance_id="abc",
        instance_type=task_type(4, 8),
        zone="a",
        market="spot",
        vcpus=4,
        start_ms=1_000_000,
        stop_ms=4_600_000,
        launched_ms=985_000,
    )
    cost = cost_of([use], PRICES)

    assert cost.bill[Item.LINGER] == 0
    assert cost.billed_h == pytest.approx(3615 / 3600)
    usd_h = PRICES.usd_h(use.instance_type, "spot", "", 0)
    assert cost.bill[Item.START] == pytest.approx(15 / 3600 * usd_h)
    assert cost.unpriced == ()


def test_a_scan_of_2048_px_is_cheaper_by_pilots_without_machines():
    """Nothing boots and lingers; a simulation apart from this one said so of the same facts."""
    plans = [plan_of_size(1800, 2048, 2048)]
    tasks, machines = (
        estimate_run(
            plans,
            PRICES,
            Fleet(pilots=16, tasks=tasks),
            offline_figures(),
            queue="cpu",
            device="cpu",
            n_draws=30,
        )
        for tasks in (True, False)
    )

    assert tasks.elapsed_s.likely < 1.1 * machines.elapsed_s.likely
    assert tasks.usd.likely < 0.75 * machines.usd.likely
    # What is most uncertain of machines, tasks have not.
    assert tasks.usd.high / tasks.usd.low < 0.9 * machines.usd.high / machines.usd.low
    assert "spot tasks on Fargate, each with 30 GiB" in tasks.assumptions[0]
    assert "a task begins to fetch its image" in " ".join(tasks.assumptions)
