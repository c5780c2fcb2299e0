"""Estimates: against a run and public facts, and as a function of the scan and the machines."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.cli.calling import tomobatch

from tomobatch.aws.pricing import Use
from tomobatch.cli.shared.scans import count_jobs
from tomobatch.config.schema import load_config
from tomobatch.errors import UserError
from tomobatch.estimate.estimate import estimate_run, spell_time
from tomobatch.estimate.profile import profile_children, profile_memory_mb, profile_vcpus
from tomobatch.estimate.workload import seconds_of_jobs
from tomobatch.fleet.bill import Item
from tomobatch.fleet.machines import Fleet
from tomobatch.fleet.prices import offline_prices
from tomobatch.phantom.write import write_phantom
from tomobatch.plan_scan import plan_scan
from tomobatch.scan.open import open_scan

ATTEMPTS = Path(__file__).with_name("demo_attempts.json")
N_DRAWS = 20
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


def estimate_of(plan, fleet=None, *, device="gpu", n_draws=N_DRAWS):
    return estimate_run(
        [plan], offline_prices(), fleet, queue=device, device=device, n_draws=n_draws
    )


def test_the_demo_run_works_as_long_as_was_estimated(header):
    """Attempts of a real run of the demo scan, on an emulator with two machines a queue.

    That of ``choose_stripes`` is younger than the run: what its script takes of one core. The run
    kept its intermediates.
    """
    uses = [Use(**row) for row in json.loads(ATTEMPTS.read_text(encoding="utf-8"))]

    plan = plan_of(header, **DEMO, keep_intermediates=True)
    estimate = estimate_of(plan, Fleet(most_children=2), device="cpu")

    worked_s = sum(use.stop_ms - use.start_ms for use in uses) / 1000
    likely_s = sum(step.n_jobs * step.job_s for step in estimate.steps)
    assert worked_s / 1.5 < likely_s < worked_s * 1.5
    assert sum(step.n_jobs for step in estimate.steps) == len(uses)
    assert {"preprocess", "process", "reconstruct"} <= {use.step for use in uses}


def test_a_scan_of_2048_px_costs_what_public_facts_say(header):
    """By a simulation apart from this one, of the same facts: $3.75 (2.81-5.21), 16 minutes."""
    estimate = estimate_of(plan_of(header, 1800, 2048, 2048), n_draws=100)

    assert estimate.usd.likely == pytest.approx(3.75, rel=0.15)
    assert (estimate.usd.low, estimate.usd.high) == pytest.approx((2.81, 5.21), rel=0.15)
    assert estimate.elapsed_s.likely / 60 == pytest.approx(16, rel=0.25)
    assert estimate.billed_h.likely > 10 * estimate.worked_h.likely


def test_more_data_takes_more_and_ranges_are_ranges(header):
    small = estimate_of(plan_of(header, **DEMO))
    large = estimate_of(plan_of(header, 1800, 2048, 2048))

    assert large.usd.likely > 10 * small.usd.likely
    for estimate in (small, large):
        for span in (estimate.usd, estimate.elapsed_s, *(s.elapsed_s for s in estimate.steps)):
            assert 0 < span.low < span.likely < span.high
        middles = sum(span.likely for span in estimate.bill.values())
        assert middles == pytest.approx(estimate.usd.likely, rel=0.15)
    by_step = {step.step: step for step in large.steps}
    assert by_step["preprocess"].n_jobs == 29
    assert by_step["reconstruct"].n_jobs == by_step["process"].n_jobs == 64
    assert by_step["reconstruct"].queue == "gpu"
    assert by_step["preprocess"].read_mb == pytest.approx(1800 * 2048 * 2048 * 2 / 1e6)
    assert by_step["preprocess"].write_mb == pytest.approx(1800 * 2048 * 2048 * 4 / 1e6)


def test_rules_state_the_seconds_that_the_estimate_reckons_with(header):
    """Also of copies and checks that nobody has asked for in the configuration."""
    plan = plan_of(header, 1800, 2048, 2048, volume={"export": ["nrrd"]})
    stated = seconds_of_jobs(plan, "cpu")

    for step in estimate_of(plan, device="cpu").steps:
        assert step.job_s <= stated[step.step] < step.job_s + 1
    assert {"align", "check", "export_tiff", "remove_intermediates"} < stated.keys()


def test_fewer_machines_take_longer_for_less_money(header):
    plan = plan_of(header, 3600, 4096, 4096)
    many, few = (estimate_of(plan, Fleet(most_children=n)) for n in (64, 4))

    assert few.elapsed_s.likely > 2 * many.elapsed_s.likely
    # With more machines, more of them start and linger: that is what is saved.
    assert few.usd.likely < many.usd.likely


def test_what_is_kept_and_fetched_is_told_beside_the_bill(header):
    later = estimate_of(plan_of(header, 1800, 2048, 2048)).afterwards
    kept = estimate_of(plan_of(header, 1800, 2048, 2048, keep_intermediates=True)).afterwards

    volume_gb = 2048**3 * 4 / 1e9
    assert volume_gb < later.fetched_gb < 1.2 * volume_gb
    assert later.egress_usd == pytest.approx(0.09 * later.fetched_gb)
    assert later.storage_usd_month == pytest.approx(0.023 * later.kept_gb)
    assert kept.kept_gb - later.kept_gb == pytest.approx(2 * 1800 * 2048**2 * 4 / 1e9)


def test_two_scans_in_one_run_share_its_machines(header):
    plan = plan_of(header, 1800, 1024, 1024)
    one, two = (
        estimate_run(
            [plan] * n,
            offline_prices(),
            Fleet(most_children=8),
            queue="gpu",
            device="gpu",
            n_draws=N_DRAWS,
        )
        for n in (1, 2)
    )

    assert two.scan == "demo and 1 more"
    assert [s.n_jobs for s in two.steps] == [2 * s.n_jobs for s in one.steps]
    assert two.worked_h.likely == pytest.approx(2 * one.worked_h.likely, rel=0.15)
    assert one.usd.likely < two.usd.likely < 2 * one.usd.likely


def test_a_detached_run_pays_for_its_controller(header):
    plan = plan_of(header, **DEMO)
    here, there = (
        estimate_run([plan], offline_prices(), detached=detached, n_draws=N_DRAWS)
        for detached in (False, True)
    )

    assert there.worked_h.likely > 2 * here.worked_h.likely
    assert there.elapsed_s.low > here.elapsed_s.low


def test_binning_shrinks_the_volume(header):
    whole = estimate_of(plan_of(header, **DEMO))
    binned = estimate_of(plan_of(header, **DEMO, reconstruct={"binning": 2}))

    written = [{step.step: step.write_mb for step in e.steps} for e in (whole, binned)]
    assert written[1]["reconstruct"] == pytest.approx(written[0]["reconstruct"] / 4)


def test_a_machine_without_a_price_is_told_and_not_free(header):
    fleet = Fleet(cpu_types=("z9.xlarge",))

    with pytest.raises(UserError, match=r"z9\.xlarge: no price is known"):
        estimate_of(plan_of(header, **DEMO), fleet)


@pytest.mark.parametrize("export", [[], ["tiff"], ["tiff", "hdf5"]])
def test_run_and_estimate_count_the_same_jobs(header, export):
    plan = plan_of(header, **DEMO, volume={"export": export})
    estimate = estimate_of(plan)
    assert {step.step: step.n_jobs for step in estimate.steps} == count_jobs([plan])
    assert sum(count_jobs([plan, plan]).values()) == 2 * (22 + len(export))


def test_children_reserve_what_the_profiles_say():
    assert (profile_vcpus()["preprocess"], profile_vcpus()["reconstruct"]) == (2, 4)
    assert "calibrate" not in profile_vcpus()
    assert profile_memory_mb() == 1000
    assert profile_children() == Fleet().most_children == 100


@pytest.mark.parametrize(
    ("seconds", "text"), [(12, "12 seconds"), (600, "10 minutes"), (9000, "2.5 hours")]
)
def test_times_as_people_say_them(seconds, text):
    assert spell_time(seconds) == text


def test_on_the_command_line(tiny):
    said = tomobatch("estimate", str(tiny), "--offline")
    assert said.code == 0, said.err
    assert "offline table of 2026-11-23" in said.out
    ways, _, _ = said.out.partition("\nPlan: ")
    assert ways.startswith("children  queue")
    assert 2 < len(ways.splitlines()) < 8
    last = said.out.splitlines()[-1]
    assert last.startswith("tiny: about ")
    assert "$" in last

    report = json.loads(tomobatch("estimate", str(tiny), "--offline", "--json").out)
    assert report["summary"] == last
    assert report["usd"]["low"] < report["usd"]["likely"] < report["usd"]["high"]
    assert report["bill"].keys() == set(Item)
    for item in Item:
        assert f"{item.value} " in said.out
    assert "assumed (2026-11): an idle machine stays 60 to 600, likely 240 s" in said.out
    assert "Not in it: keeping" in said.out


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
