"""A measurement finds again what an account is like that it knows nothing of."""

import random
from statistics import fmean

import pytest
from tests.fleet.rehearsed import Measured

from aws_batch_emulator.rehearsal_world import Day
from tomobatch.aws.runs.measure import measure
from tomobatch.estimate.learn import learn
from tomobatch.fleet.figures import offline_figures


@pytest.fixture(params=[20, 21, 22])
def day(request):
    return Day.draw(random.Random(request.param))  # noqa: S311 - no secrets


@pytest.fixture
def learnt(day):
    """Two measurements, as an account of some age has them."""
    told = []
    runs = [measure(Measured(day, i), ("cpu", "gpu", "fargate"), told.append) for i in (1, 2)]
    assert len(told) > 10
    return learn(offline_figures(), runs)


def likely(figures, *names):
    return sum(figures[name].likely for name in names)


def test_start_up_is_found_again(day, learnt):
    booted = ("pending_s", "boot_s", "place_s", "pull_s")
    assert likely(learnt, *booted) == pytest.approx(day.launch + day.boot + day.container, rel=0.15)
    assert likely(learnt, "gpu_boot_s") == pytest.approx(day.gpu_boot, rel=0.4)
    assert likely(learnt, "accept_s", "warm_s") == pytest.approx(3.5 + day.reuse, rel=0.25)
    # A look that comes at any moment: two of them are within what a look takes.
    assert 0 < likely(learnt, "accept_s", "decide_s") < 6 + day.look_every


def test_how_long_idle_machines_stay_is_found_again(day, learnt):
    linger = learnt["linger_s"]

    assert linger.low <= day.stays <= linger.high
    assert linger.likely == pytest.approx(day.stays, rel=0.25)
    table = offline_figures()["linger_s"]
    assert linger.high / linger.low < 0.5 * table.high / table.low


def test_tasks_are_found_again(day, learnt):
    assert likely(learnt, "accept_s", "task_start_s") == pytest.approx(
        3.5 + day.task_start, rel=0.25
    )
    assert likely(learnt, "task_pull_s") == pytest.approx(1 + day.container, rel=0.25)


def test_what_is_learnt_of_machines_is_learnt_of_all_queues(day):
    seen = measure(Measured(day, 5), ("cpu",), lambda _: None)

    assert seen.task_start_s == seen.gpu_boot_s == ()
    assert len(seen.boot_s) == 4
    assert fmean(seen.warm_s) > 0
    assert not seen.on_tasks
