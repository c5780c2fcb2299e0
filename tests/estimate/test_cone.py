"""What a large scan of a cone beam is reckoned to take: sane on either queue, not exact."""

import pytest
from tests.fleet.scans import plan_of_size

from tomobatch.estimate.estimate import estimate_run
from tomobatch.estimate.planner import ways_to_run
from tomobatch.fleet.figures import offline_figures
from tomobatch.fleet.machines import Fleet
from tomobatch.fleet.prices import offline_prices
from tomobatch.fleet.simulate import NoMachineFits
from tomobatch.phantom.write_cone import demo_beam

SIDE, N_PROJECTIONS = 2048, 1600
VOXELS = SIDE**3


def plan(side=SIDE, **settings):
    return plan_of_size(N_PROJECTIONS, side, side, demo_beam(side), **settings)


def reconstruct_step(queue, side=SIDE, **settings):
    estimate = estimate_run(
        [plan(side, **settings)], offline_prices(), queue=queue, device=queue, n_draws=4
    )
    return next(step for step in estimate.steps if step.step == "reconstruct")


def test_chunks_of_a_cone_are_slabs_of_slices_that_read_rows_more_than_once():
    scan_mb = N_PROJECTIONS * SIDE**2 * 4 / 1e6
    for queue in ("cpu", "gpu"):
        step = reconstruct_step(queue)
        assert step.queue == queue
        assert 4 <= step.n_jobs <= 32
        assert scan_mb < step.read_mb < 3 * scan_mb
        assert 4 * VOXELS / 1e6 <= step.write_mb < 1.2 * 4 * VOXELS / 1e6


def test_a_gpu_back_projects_a_cone_sooner_by_what_kernels_are_known_to_do():
    """Between 1 and 1000 voxels and angles a nanosecond, which no device here or peer is beyond."""
    cpu, gpu = reconstruct_step("cpu"), reconstruct_step("gpu")
    for step in (cpu, gpu):
        rate = VOXELS * N_PROJECTIONS / (1e9 * step.n_jobs * step.compute_s)
        assert 1 < rate < 1000
    assert 3 < cpu.compute_s / gpu.compute_s < 100
    # Moving data takes as long on either.
    assert cpu.job_s - cpu.compute_s == pytest.approx(gpu.job_s - gpu.compute_s, rel=0.5)


def test_a_gpu_is_worth_its_boot_for_a_cone_on_one_machine_and_not_on_many():
    ways = {
        (way.queue, way.most_children): way
        for way in ways_to_run(
            [plan()],
            *(offline_prices(), Fleet(), offline_figures()),
            counts=(1, 16),
            pilots=(False,),
            n_draws=8,
        )
    }
    for way in ways.values():
        assert 10 * 60 < way.elapsed_s < 3 * 3600
        assert 0.05 < way.usd < 3
    for queue in ("cpu", "gpu"):
        assert ways[queue, 16].elapsed_s < ways[queue, 1].elapsed_s
        assert ways[queue, 16].usd > ways[queue, 1].usd
    assert ways["gpu", 1].elapsed_s < 0.9 * ways["cpu", 1].elapsed_s
    assert ways["gpu", 16].elapsed_s > 0.8 * ways["cpu", 16].elapsed_s
    assert ways["gpu", 16].usd > ways["cpu", 16].usd


def test_iterating_on_a_cone_is_one_job_that_a_gpu_does_many_times_sooner():
    """Each iteration is two walks along every ray: far more work than one back-projection.

    A volume of 2048 voxels a side is one that no machine of the queues holds as a whole.
    """
    reconstruct = {"method": "sirt", "iterations": 20}
    cpu, gpu = (reconstruct_step(queue, 512, reconstruct=reconstruct) for queue in ("cpu", "gpu"))
    assert cpu.n_jobs == gpu.n_jobs == 1
    assert 10 < cpu.compute_s / gpu.compute_s < 200
    once = reconstruct_step("gpu", 512)
    assert gpu.compute_s > 20 * once.n_jobs * once.compute_s
    twice = reconstruct_step("gpu", 512, reconstruct={**reconstruct, "iterations": 40})
    assert 1.8 < twice.compute_s / gpu.compute_s < 2.2
    with pytest.raises(NoMachineFits):
        reconstruct_step("gpu", reconstruct=reconstruct)
