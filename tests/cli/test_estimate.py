"""Estimates: against what the demo run cost, and as a function of the scan and the machines."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.cli.calling import tomobatch

from tomobatch.aws.pricing import Use, cost_of, offline_prices
from tomobatch.aws.pricing.prices import has_gpu
from tomobatch.cli.shared.scans import count_jobs
from tomobatch.config.schema import load_config
from tomobatch.estimate.estimate import estimate_scan, spell_time
from tomobatch.estimate.fleet import Fleet
from tomobatch.phantom.write import write_phantom
from tomobatch.plan_scan import plan_scan
from tomobatch.scan.open import open_scan

ATTEMPTS = Path(__file__).with_name("demo_attempts.json")
DEMO = {"n_projections": 384, "n_rows": 128, "n_cols": 256}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    path = tmp_path_factory.mktemp("scans") / "tiny.h5"
    write_phantom(path, size=48, n_rows=12, n_angles=60)
    return path


@pytest.fixture(scope="module")
def header(tiny):
    with open_scan(tiny) as scan:
        return scan.header


def plan_of(header, n_projections, n_rows, n_cols, **settings):
    angles = np.arange(n_projections) * np.pi / n_projections
    changed = replace(
        header, n_projections=n_projections, n_rows=n_rows, n_cols=n_cols, angles_rad=angles
    )
    return plan_scan(load_config({"scans": {"demo": "x.h5"}, **settings}), "demo", changed)


def test_the_demo_run_costs_what_was_estimated(header):
    """Attempts of a real run of the demo scan, on an emulator with two machines a queue.

    That of ``choose_stripes`` is younger than the run: what its script takes of one core. The run
    kept its intermediates.
    """
    uses = [Use(**row) for row in json.loads(ATTEMPTS.read_text(encoding="utf-8"))]
    cost = cost_of(uses, offline_prices())
    types = sorted({use.instance_type for use in uses})
    fleet = Fleet(
        most_children=2,
        cpu_types=tuple(name for name in types if not has_gpu(name)),
        gpu_types=tuple(name for name in types if has_gpu(name)),
        whole_machines=True,
    )

    plan = plan_of(header, **DEMO, keep_intermediates=True)
    estimate = estimate_scan(plan, offline_prices(), fleet, device="cpu")

    assert cost.unpriced == ()
    assert cost.usd / 1.5 < estimate.usd.likely < cost.usd * 1.5
    assert estimate.usd.low < cost.usd < estimate.usd.high
    # So short a run costs the minute that each machine is billed for: its times have to fit, too.
    worked_s = sum(use.stop_ms - use.start_ms for use in uses) / 1000
    likely_s = sum(step.n_jobs * step.job_s for step in estimate.steps)
    assert worked_s / 1.5 < likely_s < worked_s * 1.5
    jobs = {use.step: 0 for use in uses}
    assert sum(step.n_jobs for step in estimate.steps) == len(uses)
    assert {"preprocess", "process", "reconstruct"} <= jobs.keys()


def test_more_data_takes_more_and_ranges_are_ranges(header):
    small = estimate_scan(plan_of(header, **DEMO), offline_prices())
    large = estimate_scan(plan_of(header, 1800, 2048, 2048), offline_prices())

    assert large.usd.likely > 10 * small.usd.likely
    for estimate in (small, large):
        for span in (estimate.usd, estimate.elapsed_s):
            assert 0 < span.low < span.likely < span.high
    by_step = {step.step: step for step in large.steps}
    assert by_step["preprocess"].n_jobs == 29
    assert by_step["reconstruct"].n_jobs == by_step["process"].n_jobs == 64
    assert by_step["reconstruct"].queue == "gpu"
    assert by_step["preprocess"].read_mb == pytest.approx(1800 * 2048 * 2048 * 2 / 1e6)
    assert by_step["preprocess"].write_mb == pytest.approx(1800 * 2048 * 2048 * 4 / 1e6)


def test_fewer_machines_take_longer_for_about_the_same_money(header):
    # Jobs long beside the minute that any machine is billed for.
    plan = plan_of(header, 3600, 4096, 4096)
    many = estimate_scan(plan, offline_prices(), Fleet(most_children=64))
    few = estimate_scan(plan, offline_prices(), Fleet(most_children=4))

    assert few.elapsed_s.likely > 2 * many.elapsed_s.likely
    # With more machines, more of them start and wait: that is what is saved.
    assert 0.5 < few.usd.likely / many.usd.likely < 1.0


def test_binning_shrinks_the_volume(header):
    whole = estimate_scan(plan_of(header, **DEMO), offline_prices())
    binned = estimate_scan(plan_of(header, **DEMO, reconstruct={"binning": 2}), offline_prices())

    written = [{step.step: step.write_mb for step in e.steps} for e in (whole, binned)]
    assert written[1]["reconstruct"] == pytest.approx(written[0]["reconstruct"] / 4)


@pytest.mark.parametrize("export", [[], ["tiff"], ["tiff", "hdf5"]])
def test_run_and_estimate_count_the_same_jobs(header, export):
    plan = plan_of(header, **DEMO, volume={"export": export})
    estimate = estimate_scan(plan, offline_prices())
    assert {step.step: step.n_jobs for step in estimate.steps} == count_jobs([plan])
    assert sum(count_jobs([plan, plan]).values()) == 2 * (22 + len(export))


def test_children_reserve_what_the_profiles_say():
    fleet = Fleet()
    assert (fleet.reserved("preprocess"), fleet.reserved("reconstruct")) == (2, 4)
    assert fleet.reserved("calibrate") == 1
    assert Fleet(vcpus={"process": 8}).reserved("process") == 8


@pytest.mark.parametrize(
    ("seconds", "text"), [(12, "12 seconds"), (600, "10 minutes"), (9000, "2.5 hours")]
)
def test_times_as_people_say_them(seconds, text):
    assert spell_time(seconds) == text


def test_on_the_command_line(tiny):
    said = tomobatch("estimate", str(tiny), "--offline")
    assert said.code == 0, said.err
    assert "offline table of 2026-11-23" in said.out
    last = said.out.splitlines()[-1]
    assert last.startswith("tiny: about ")
    assert "$" in last

    report = json.loads(tomobatch("estimate", str(tiny), "--offline", "--json").out)
    assert report["summary"] == last
    assert report["usd"]["low"] < report["usd"]["likely"] < report["usd"]["high"]


def test_without_aws_the_dated_table_serves(tiny, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    said = tomobatch("estimate", str(tiny), "--region", "us-east-1")
    assert said.code == 0
    assert "The offline table serves instead" in said.err
    assert "offline table of" in said.out


def test_a_scan_that_is_not_there():
    said = tomobatch("estimate", "no/such/scan.h5", "--offline")
    assert said.code == 1
    assert "no/such/scan.h5: no such file or folder" in said.err
