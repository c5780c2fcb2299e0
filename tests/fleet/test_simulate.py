"""Simulated runs: to the second where they can be worked out by hand, and laws that all obey."""

from dataclasses import replace

import numpy as np
import pytest
from tests.fleet.known import ONE_TYPE, figures, likely, play, random_stages, stage

from tomobatch.fleet.bill import Item
from tomobatch.fleet.figures import offline_figures
from tomobatch.fleet.machines import Fleet
from tomobatch.fleet.simulate import NoMachineFits, Simulation
from tomobatch.fleet.weather import Weather

DAY = likely()
BOOT_S = DAY["boot_s"] + DAY["place_s"] + DAY["pull_s"]
BILLED_FROM_S = DAY["controller_s"] + DAY["accept_s"] + DAY["decide_s"] + DAY["pending_s"]


def test_one_machine_and_one_job_to_the_second():
    played = play(stage(compute_s=10, read_mb=60, write_mb=100, start_s=1.5))

    work_s = 1.5 + 10 + 160 / 80
    assert played.elapsed_s == pytest.approx(BILLED_FROM_S + BOOT_S + work_s)
    (hire,) = played.hires
    assert (hire.begin_s, hire.first_s) == pytest.approx((BILLED_FROM_S, BILLED_FROM_S + BOOT_S))
    assert hire.worked_s == pytest.approx(work_s)
    assert hire.end_s - hire.last_s == pytest.approx(DAY["linger_s"])
    assert hire.seconds() == pytest.approx(
        {Item.WORK: work_s, Item.START: BOOT_S, Item.LINGER: DAY["linger_s"], Item.IDLE: 0.0}
    )


def test_the_next_stage_finds_the_machine_warm():
    played = play(stage(), stage("b", compute_s=20))

    first_s = BILLED_FROM_S + BOOT_S + 10
    between_s = DAY["notice_s"] + DAY["accept_s"] + DAY["warm_s"]
    assert played.spans_s[1] == pytest.approx((first_s + DAY["notice_s"], first_s + between_s + 20))
    (hire,) = played.hires
    assert hire.seconds()[Item.IDLE] == pytest.approx(between_s)


def test_a_stage_of_which_nobody_waits_runs_beside_the_next():
    played = play(stage("a", waited_for=False, vcpus=2), stage("b", vcpus=2))

    assert played.spans_s[0] == played.spans_s[1]
    assert len(played.hires) == 1


def test_a_machine_that_idles_too_long_is_gone_and_another_starts():
    gone = play(stage(), stage("b"), linger_s=7.0)
    kept = play(stage(), stage("b"), linger_s=100.0)

    assert (len(gone.hires), len(kept.hires)) == (2, 1)
    assert gone.elapsed_s - kept.elapsed_s == pytest.approx(
        DAY["decide_s"] + DAY["pending_s"] + BOOT_S - DAY["warm_s"]
    )


def test_children_share_a_machine_by_their_vcpus_and_their_memory():
    assert len(play(stage(n_jobs=4, vcpus=2)).hires) == 2
    assert len(play(stage(n_jobs=4, vcpus=1)).hires) == 1
    assert len(play(stage(n_jobs=4, vcpus=1, memory_mib=3000)).hires) == 2
    on_gpus = play(stage(n_jobs=4, vcpus=1, queue="gpu"))
    assert len(on_gpus.hires) == 4
    assert all(hire.instance_type == "g4dn.xlarge" for hire in on_gpus.hires)
    assert on_gpus.hires[0].first_s == pytest.approx(BILLED_FROM_S + BOOT_S + DAY["gpu_boot_s"])


def test_a_queue_that_may_not_grow_works_on_with_what_it_has():
    played = play(stage(n_jobs=3), fleet=replace(ONE_TYPE, cpu_most_vcpus=4))

    (hire,) = played.hires
    assert played.elapsed_s == pytest.approx(BILLED_FROM_S + BOOT_S + 3 * 10 + 2 * DAY["warm_s"])
    assert hire.seconds()[Item.IDLE] == pytest.approx(2 * DAY["warm_s"])


def test_fewer_children_have_more_jobs_each():
    played = play(stage(n_jobs=5), fleet=replace(ONE_TYPE, most_children=2))

    assert len(played.hires) == 2
    assert sorted(hire.worked_s for hire in played.hires) == pytest.approx([20, 30])


def test_a_reclaim_costs_the_job_under_way_and_no_other():
    fleet = replace(ONE_TYPE, spot=True, most_children=1)
    calm = play(stage(n_jobs=3), fleet=fleet)
    played = play(stage(n_jobs=3), fleet=fleet, lives_s=[BOOT_S + 25])

    first, second = played.hires
    assert played.n_reclaimed == 1
    assert first.end_s - first.begin_s == pytest.approx(BOOT_S + 25)
    assert first.seconds()[Item.LINGER] == 0
    # Two of its jobs were done, and the third had 5 of its 10 seconds.
    assert (first.worked_s, second.worked_s) == pytest.approx((25, 10))
    again_s = DAY["accept_s"] + DAY["decide_s"] + DAY["pending_s"] + BOOT_S
    assert played.elapsed_s == pytest.approx(calm.elapsed_s + again_s + 5)


def test_a_machine_may_be_taken_back_before_it_has_worked():
    fleet = replace(ONE_TYPE, spot=True)
    played = play(stage(), fleet=fleet, lives_s=[BOOT_S / 2])

    assert played.n_reclaimed == 0
    assert [hire.worked_s for hire in played.hires] == pytest.approx([0, 10])
    assert played.hires[0].seconds()[Item.START] == pytest.approx(BOOT_S / 2)


def test_a_job_that_fits_nowhere_is_told():
    with pytest.raises(NoMachineFits, match="no machine has 4 vCPUs and 99999 MiB"):
        play(stage(memory_mib=99_999))


def test_a_controller_that_is_a_job_has_its_machine_to_the_end():
    played = play(stage(), stage("b"), detached=True)

    begun_s = DAY["accept_s"] + DAY["decide_s"] + DAY["pending_s"] + BOOT_S
    heads = next(hire for hire in played.hires if hire.begin_s < begun_s)
    assert heads.last_s == played.elapsed_s
    assert played.spans_s[0][0] == pytest.approx(begun_s + DAY["controller_s"])
    assert heads.worked_s == pytest.approx((played.elapsed_s - heads.first_s) / 4)


def random_run(seed, **changed):
    rng = np.random.default_rng(seed)
    stages = random_stages(rng)
    fleet = Fleet(most_children=int(rng.integers(1, 40)), cpu_most_vcpus=int(rng.integers(4, 80)))
    table = offline_figures() | changed
    weather = Weather.draw(table, rng)
    return stages, weather, Simulation(stages, fleet, weather).play()


@pytest.mark.parametrize("seed", range(30))
def test_nothing_is_lost_and_every_second_is_accounted_for(seed):
    """With a reclaim about every half hour of a machine."""
    hazard = replace(offline_figures()["hazard_h"], low=2.0, likely=2.0, high=2.0)
    stages, weather, played = random_run(seed, hazard_h=hazard)

    least_s = sum(each.n_jobs * each.loads[0].compute_s for each in stages) / weather["speed"]
    parts = sum(hire.worked_s * vcpus(hire) for hire in played.hires)
    assert parts > 0.8 * least_s * min(each.vcpus for each in stages)
    for start_s, end_s in played.spans_s:
        assert 0 < start_s < end_s <= played.elapsed_s
    for hire in played.hires:
        assert hire.begin_s <= hire.first_s <= hire.last_s <= hire.end_s
        assert min(hire.seconds().values()) > -1e-6
        assert sum(hire.seconds().values()) == pytest.approx(hire.billed_s)
        assert hire.worked_s <= hire.last_s - hire.first_s + 1e-6


def vcpus(hire):
    return {"xlarge": 4, "2xlarge": 8, "4xlarge": 16}[hire.instance_type.partition(".")[2]]


def test_without_reclaims_work_is_what_there_was_to_do():
    stages = [stage("a", n_jobs=37, compute_s=7, vcpus=2), stage("b", n_jobs=5, compute_s=50)]
    played = play(*stages, fleet=replace(ONE_TYPE, most_children=9))

    borne = sum(hire.worked_s for hire in played.hires)
    assert borne == pytest.approx(37 * 7 * 2 / 4 + 5 * 50)


@pytest.mark.parametrize(
    "name",
    ["controller_s", "accept_s", "decide_s", "pending_s", "boot_s", "place_s", "pull_s", "warm_s"],
)
def test_whatever_takes_longer_makes_the_run_longer(name):
    stages = [stage("a", n_jobs=30, vcpus=2), stage("b", n_jobs=20)]
    fleet = replace(ONE_TYPE, most_children=10)
    times_s = [play(*stages, fleet=fleet, **{name: seconds}).elapsed_s for seconds in (1, 9, 40)]

    assert times_s == sorted(times_s)
    assert times_s[0] < times_s[-1]


def test_longer_lingering_is_dearer_and_a_faster_machine_cheaper():
    def billed_s(**changed):
        return sum(hire.billed_s for hire in play(stage(n_jobs=9), **changed).hires)

    assert billed_s(linger_s=60) < billed_s(linger_s=600)
    assert billed_s(speed=1.5) < billed_s(speed=1.0)
    assert billed_s(storage_mb_s=100) == billed_s(storage_mb_s=50)


def test_a_seed_gives_the_same_run_again():
    assert random_run(5)[2] == random_run(5)[2]
    assert random_run(5)[2] != random_run(6)[2]


def test_known_figures_are_drawn_as_they_are():
    weather = Weather.draw(figures(boot_s=33.0), np.random.default_rng(1))

    assert weather["boot_s"] == 33.0
    assert weather.near("boot_s", "pull_s") == pytest.approx(33.0 + DAY["pull_s"])
