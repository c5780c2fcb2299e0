"""Bills to the cent, by hand; figures and prices with their sources."""

import pytest
from tests.fleet.known import ONE_TYPE, stage
from tests.infrastructure.templates import Template

from snakemake_executor_plugin_aws_batch_array.worker.uploads import PART_BYTES
from tomobatch.fleet.bill import Hire, Item, Traffic, bill_of, total
from tomobatch.fleet.figures import assumed, offline_figures
from tomobatch.fleet.machines import Fleet, machine_memory_mib, machine_vcpus
from tomobatch.fleet.prices import offline_prices
from tomobatch.fleet.stages import merge

BESIDE = offline_prices().beside
HOUR_S = 3600.0


def hire(begin_s=0.0, first_s=0.0, last_s=HOUR_S, end_s=HOUR_S, worked_s=HOUR_S):
    return Hire("c6i.xlarge", "spot", "", begin_s, end_s, first_s, last_s, worked_s)


def test_an_hour_of_a_machine_with_all_it_comes_with():
    started = hire(-600, 0, HOUR_S, HOUR_S + 300, HOUR_S / 2)
    bill = bill_of([(started, 0.2)], Traffic(), ONE_TYPE, BESIDE)

    assert bill[Item.START] == pytest.approx(0.2 / 6)
    assert bill[Item.LINGER] == pytest.approx(0.2 / 12)
    assert bill[Item.WORK] == bill[Item.IDLE] == pytest.approx(0.1)
    # 100 GiB at $0.08 and 125 MB/s more than are free at $0.04, a month of 730 hours.
    assert bill[Item.VOLUMES] == pytest.approx(1.25 * (8 + 5) / 730)
    assert bill[Item.ADDRESSES] == pytest.approx(1.25 * 0.005)
    assert total(bill) == pytest.approx(0.25 + 1.25 * (13 / 730 + 0.005))


def test_a_minute_is_billed_at_least():
    short = hire(0, 2, 8, 10, 6)
    bill = bill_of([(short, 0.6)], Traffic(), ONE_TYPE, BESIDE)

    assert bill[Item.ADDRESSES] == pytest.approx(0.005 / 60)
    assert sum(bill[item] for item in short.seconds()) == pytest.approx(0.01)
    assert bill[Item.IDLE] == pytest.approx(0.6 * 50 / HOUR_S)


def test_requests_storage_and_logs():
    traffic = Traffic(puts=2000, gets=10_000, stored_gb_h=7300, logs_gb=2)
    bill = bill_of([], traffic, Fleet(), BESIDE)

    assert bill[Item.REQUESTS] == pytest.approx(2 * 0.005 + 10 * 0.0004)
    assert bill[Item.STORAGE] == pytest.approx(10 * 0.023)
    assert bill[Item.LOGS] == pytest.approx(1.0)
    assert total(bill) == pytest.approx(1.244)


def test_a_slow_volume_has_no_throughput_to_pay_for():
    assert BESIDE.volume_h(40, 125) == pytest.approx(40 * 0.08 / 730)
    assert BESIDE.volume_h(40, 100) == BESIDE.volume_h(40, 125)


def test_the_machines_are_those_of_the_stacks():
    parameters = Template("batch").data["Parameters"]

    def default(name):
        return parameters[name]["Default"]

    fleet = Fleet()
    assert set(fleet.cpu_types) == set(default("CpuInstanceTypes").split(","))
    assert set(fleet.gpu_types) == set(default("GpuInstanceTypes").split(","))
    assert fleet.cpu_most_vcpus == default("CpuMaxVcpus")
    assert fleet.gpu_most_vcpus == default("GpuMaxVcpus")
    assert fleet.volume_gib == default("VolumeGib")
    template = Template("batch").data["Resources"]["LaunchTemplate"]
    (disk,) = template["Properties"]["LaunchTemplateData"]["BlockDeviceMappings"]
    assert fleet.throughput_mb_s == disk["Ebs"]["Throughput"]


def test_sizes_of_machines():
    assert [machine_vcpus(f"c6i.{size}") for size in ("large", "xlarge", "4xlarge")] == [2, 4, 16]
    assert machine_vcpus("c6i.metal") is None
    assert 7000 < machine_memory_mib("c6i.xlarge") < 8 * 1024
    assert 14_000 < machine_memory_mib("m6i.xlarge") < 16 * 1024


def test_every_figure_has_a_range_and_a_source():
    figures = offline_figures()

    assert assumed(figures)
    assert figures["upload_part_mib"].likely * 2**20 == PART_BYTES
    for name, figure in figures.items():
        assert figure.low <= figure.likely <= figure.high, name
        assert len(figure.source) > 10, name


def test_scans_of_one_run_go_together():
    one = [stage("a", n_jobs=3, vcpus=2), stage("b", memory_mib=500)]
    other = [stage("a", n_jobs=4, vcpus=1, memory_mib=4000), stage("b", memory_mib=100)]

    merged = merge([one, other])

    assert [(each.step, each.n_jobs, each.vcpus) for each in merged] == [("a", 7, 2), ("b", 2, 4)]
    assert [each.memory_mib for each in merged] == [4000, 500]
