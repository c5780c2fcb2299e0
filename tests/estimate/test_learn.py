"""Figures of the account's own: they are found again in what runs saw."""

from dataclasses import replace

import pytest

from tomobatch.aws.runs.seen import Seen, SeenStep
from tomobatch.estimate.learn import learn, rates_of
from tomobatch.fleet.figures import offline_figures

TABLE = offline_figures()
SLOW = Seen(
    asked_s=(80.0, 90.0, 100.0),
    boot_s=(200.0,),
    gpu_boot_s=(260.0, 250.0),
    warm_s=(33.0, 35.0),
    notice_s=(20.0,),
    steps={},
)


def likely(figures, *names):
    return sum(figures[name].likely for name in names)


def test_without_runs_nothing_is_learnt():
    assert learn(TABLE, []) == TABLE
    assert learn(TABLE, [Seen(steps={})]) == TABLE


def test_sums_that_were_seen_are_those_of_the_figures():
    learnt = learn(TABLE, [SLOW])

    assert likely(learnt, "accept_s", "decide_s") == pytest.approx(90)
    booted = ("pending_s", "boot_s", "place_s", "pull_s")
    assert likely(learnt, *booted) == pytest.approx(200)
    assert likely(learnt, *booted, "gpu_boot_s") == pytest.approx(255)
    assert likely(learnt, "accept_s", "warm_s") == pytest.approx(34)
    assert learnt["notice_s"].likely == 20
    assert learnt["boot_s"].kind == "learnt"
    assert learnt["boot_s"].source == "1 runs of this account"
    assert learnt["linger_s"] == TABLE["linger_s"]


def test_tasks_teach_of_tasks_alone():
    seen = Seen(
        task_start_s=(60.0,), task_pull_s=(41.0, 39.0), steps=steps(0.7, 75.0), on_tasks=True
    )
    learnt = learn(TABLE, [seen])

    assert likely(learnt, "accept_s", "task_start_s") == pytest.approx(60)
    assert learnt["task_pull_s"].likely == 40
    assert learnt["task_speed"].likely == pytest.approx(0.7)
    assert learnt["storage_mb_s"].likely == pytest.approx(75)
    of_machines = ("speed", "decide_s", "pending_s", "boot_s", "pull_s", "warm_s", "linger_s")
    assert {name: learnt[name] for name in of_machines} == {n: TABLE[n] for n in of_machines}


def test_a_measurement_tells_how_long_machines_stay():
    linger = learn(TABLE, [Seen(kept_idle_s=300.0, gone_idle_s=360.0)])["linger_s"]

    assert linger.likely == 330
    assert TABLE["linger_s"].low < linger.low < 300
    assert 360 < linger.high < TABLE["linger_s"].high
    again = learn(TABLE, 3 * [Seen(kept_idle_s=300.0, gone_idle_s=360.0)])["linger_s"]
    assert linger.low < again.low < again.high < linger.high


def test_the_more_runs_the_narrower_and_all_that_they_saw_is_within():
    def relative(figure):
        return figure.low / figure.likely, figure.high / figure.likely

    def after(*notices_s):
        runs = [replace(SLOW, notice_s=(each,)) for each in notices_s]
        return learn(TABLE, runs)["notice_s"]

    one, many, odd = after(20.0), after(19.0, 20.0, 21.0), after(20.0, 20.0, 90.0)

    assert relative(TABLE["notice_s"])[0] < relative(one)[0] < relative(many)[0] < 1
    assert relative(TABLE["notice_s"])[1] > relative(one)[1] > relative(many)[1] > 1
    assert (odd.likely, odd.high) == (20, 90)


def steps(speed, mb_s):
    work = {"a": (1, 14.0, 500), "b": (29, 3.4, 1560), "c": (64, 11.5, 940), "d": (9, 2.2, 0)}
    return {
        rule: SeenStep(n_jobs, compute_s / speed + moved_mb / mb_s, compute_s, moved_mb)
        for rule, (n_jobs, compute_s, moved_mb) in work.items()
    }


@pytest.mark.parametrize(("speed", "mb_s"), [(1.0, 80.0), (0.7, 200.0), (2.5, 35.0)])
def test_speed_and_rate_are_found_again(speed, mb_s):
    found = learn(TABLE, [Seen(steps=steps(speed, mb_s))])

    assert found["speed"].likely == pytest.approx(speed)
    assert found["storage_mb_s"].likely == pytest.approx(mb_s)


def test_steps_that_do_not_tell_teach_nothing():
    only_computes = [step for step in steps(2.0, 80.0).values() if step.moved_mb == 0]

    assert rates_of(only_computes) == (None, None)
    assert rates_of(only_computes * 2) == (pytest.approx(2.0), None)
    assert rates_of([replace(step, mean_s=0.0) for step in only_computes * 2]) == (None, None)


def test_a_machine_that_idled_was_not_ended_before():
    assert learn(TABLE, [Seen(kept_idle_s=30.0)])["linger_s"] == TABLE["linger_s"]
    linger = learn(TABLE, [Seen(kept_idle_s=30.0), Seen(kept_idle_s=900.0)])["linger_s"]
    assert (linger.low, linger.likely, linger.high) == (900, 900, 900)
