"""Pilots in simulated runs: to the second where they can be worked out by hand, and laws."""

from dataclasses import replace

import numpy as np
import pytest
from tests.fleet.known import ONE_TYPE, likely, play, random_stages, stage
from tests.fleet.scans import plan_of_size

from snakemake_executor_plugin_aws_batch_array.pilot_dispatch import GIVE_WAY_S
from tomobatch.estimate.estimate import estimate_run
from tomobatch.fleet.bill import Item
from tomobatch.fleet.figures import offline_figures
from tomobatch.fleet.machines import Fleet
from tomobatch.fleet.pilots import in_portions
from tomobatch.fleet.prices import offline_prices
from tomobatch.fleet.simulate import NoMachineFits, Simulation
from tomobatch.fleet.weather import Weather

DAY = likely()
BOOT_S = DAY["boot_s"] + DAY["place_s"] + DAY["pull_s"]
HERE_S = DAY["controller_s"] + DAY["accept_s"] + DAY["decide_s"] + DAY["pending_s"] + BOOT_S


def pilots(n, **changed):
    return replace(ONE_TYPE, pilots=n, **changed)


def test_steps_follow_each_other_without_a_wait_for_machines():
    played = play(stage(n_jobs=5), stage("b", n_jobs=2), stage("c"), fleet=pilots(2))

    begun_s = HERE_S + 3 * 10 + DAY["notice_s"]
    assert played.spans_s[1] == pytest.approx((begun_s, begun_s + 10))
    assert played.elapsed_s == pytest.approx(begun_s + 10 + DAY["notice_s"] + 10)
    assert len(played.hires) == 2
    for hire in played.hires:
        # They stay until the controller has seen the last end, and then their machines linger.
        assert hire.last_s == pytest.approx(played.elapsed_s + DAY["notice_s"])
        assert hire.end_s - hire.last_s == pytest.approx(DAY["linger_s"])
    assert sum(hire.worked_s for hire in played.hires) == pytest.approx(8 * 10)
    waited_s = sum(hire.seconds()[Item.IDLE] for hire in played.hires)
    assert waited_s == pytest.approx(2 * 3 * DAY["notice_s"] + 10 + 10)


def test_whoever_is_free_takes_the_next_job():
    """Slices would leave one with two long jobs: here the first is longer than all others."""
    jobs = stage(n_jobs=1, compute_s=50), stage(n_jobs=4, compute_s=10)
    both = replace(jobs[0], loads=jobs[0].loads + jobs[1].loads)

    assert play(both, fleet=pilots(2)).elapsed_s == pytest.approx(HERE_S + 50)


def test_they_are_no_more_than_the_jobs_of_all_steps():
    assert len(play(stage(), stage("b", n_jobs=3), fleet=pilots(50)).hires) == 4


def test_they_are_as_large_as_the_main_steps_and_up_to_twice_as_large():
    small = stage(n_jobs=20, vcpus=1, memory_mib=1000)

    assert len(play(small, fleet=pilots(4)).hires) == 1
    assert len(play(small, stage("b", vcpus=2), fleet=pilots(4)).hires) == 2


def test_a_step_that_needs_much_more_gets_an_array_and_idle_pilots_give_way():
    few = (stage(n_jobs=20, vcpus=1), stage("large", vcpus=4), stage("c", n_jobs=20, vcpus=1))
    played = play(*few, fleet=pilots(4, cpu_most_vcpus=4))

    submitted_s, ended_s = played.spans_s[1]
    assert ended_s - submitted_s == pytest.approx(GIVE_WAY_S + DAY["warm_s"] + 10)
    # The last step starts pilots anew, on the machine that is there.
    began_s, _ = played.spans_s[2]
    assert played.elapsed_s - began_s == pytest.approx(DAY["accept_s"] + DAY["warm_s"] + 5 * 10)
    assert len(played.hires) == 1


def test_another_queue_has_pilots_of_its_own():
    played = play(stage(n_jobs=2), stage("b", n_jobs=2, queue="gpu"), fleet=pilots(2))

    assert sorted(hire.instance_type for hire in played.hires) == [
        *("c6i.xlarge", "c6i.xlarge"),
        *("g4dn.xlarge", "g4dn.xlarge"),
    ]


def test_one_whose_machine_is_taken_back_joins_again_and_its_job_goes_to_others():
    fleet = pilots(2, spot=True)
    jobs = stage(n_jobs=8, compute_s=40)
    calm = play(jobs, fleet=fleet)
    played = play(jobs, fleet=fleet, lives_s=[BOOT_S + 50])

    assert (calm.n_reclaimed, played.n_reclaimed) == (0, 1)
    assert calm.elapsed_s == pytest.approx(HERE_S + 4 * 40)
    # The other does six of the eight, not its half alone; the one that comes has time for one.
    assert played.elapsed_s == pytest.approx(HERE_S + 6 * 40)
    assert len(played.hires) == 3
    assert sum(hire.worked_s for hire in played.hires) == pytest.approx(8 * 40 + 10)


def test_many_jobs_are_put_together_without_changing_what_comes():
    seconds = np.random.default_rng(3).uniform(5, 50, 5000)
    portions = in_portions(seconds, 10)

    assert len(portions) == 80
    assert sum(portions) == pytest.approx(seconds.sum())
    assert portions[-40:] == seconds[-40:].tolist()
    assert in_portions(seconds[:80], 10) == seconds[:80].tolist()
    played = play(stage(n_jobs=5000), fleet=pilots(10))
    assert played.elapsed_s == pytest.approx(HERE_S + 500 * 10)
    assert played.puts == 5000 + 10


def test_a_job_that_fits_nowhere_is_told():
    with pytest.raises(NoMachineFits, match="no machine has 4 vCPUs and 99999 MiB"):
        play(stage(memory_mib=99_999), fleet=pilots(2))


@pytest.mark.parametrize("seed", range(30))
def test_nothing_is_lost_and_every_second_is_accounted_for(seed):
    """With a reclaim about every half hour of a machine."""
    rng = np.random.default_rng(seed)
    stages = random_stages(rng, gpu_share=0.25)
    fleet = Fleet(pilots=int(rng.integers(1, 40)), cpu_most_vcpus=int(rng.integers(4, 80)))
    hazard = replace(offline_figures()["hazard_h"], low=2.0, likely=2.0, high=2.0)
    weather = Weather.draw(offline_figures() | {"hazard_h": hazard}, rng)
    played = Simulation(stages, fleet, weather).play()

    for start_s, end_s in played.spans_s:
        assert 0 < start_s < end_s <= played.elapsed_s
    for hire in played.hires:
        assert hire.begin_s <= hire.first_s <= hire.last_s <= hire.end_s
        assert min(hire.seconds().values()) > -1e-6
        assert sum(hire.seconds().values()) == pytest.approx(hire.billed_s)
    assert played.puts >= sum(each.n_jobs for each in stages) / 2


def test_a_scan_of_2048_px_takes_half_the_time_by_pilots_as_public_facts_say():
    """By a simulation apart from this one, of the same facts: 7 (6-8) min, $0.30 (0.23-0.39)."""
    plan = plan_of_size(1800, 2048, 2048)
    both = [
        estimate_run([plan], offline_prices(), fleet, queue="cpu", device="cpu", n_draws=40)
        for fleet in (Fleet(most_children=16), Fleet(pilots=16))
    ]

    by_step, piloted = both
    assert piloted.elapsed_s.likely / 60 == pytest.approx(7, rel=0.25)
    assert piloted.usd.likely == pytest.approx(0.30, rel=0.25)
    assert piloted.elapsed_s.likely < 0.6 * by_step.elapsed_s.likely
    assert piloted.usd.likely < by_step.usd.likely
    # A claim and a look a job, a listing a pilot and step, and the looks of those that wait.
    n_jobs = sum(step.n_jobs for step in piloted.steps)
    assert piloted.puts - by_step.puts == n_jobs + 16 * len(piloted.steps)
    assert n_jobs < piloted.gets - by_step.gets < 3000
    assert "16 pilots that stay for the whole run" in " ".join(piloted.assumptions)
