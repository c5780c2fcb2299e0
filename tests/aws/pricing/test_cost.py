"""Costs of known machines, times and prices, right to the cent."""

from dataclasses import replace

import pytest
from tests.fleet.known import figures, likely
from tests.infrastructure.templates import Template

from tomobatch.aws.pricing import Use, cost_of
from tomobatch.fleet.bill import Item, Traffic
from tomobatch.fleet.machines import Fleet
from tomobatch.fleet.prices import Prices, SpotPrice, offline_prices

HOUR_MS = 3_600_000
MINUTE_MS = 60_000

PRICES = Prices(
    source="a test",
    on_demand={"c6i.xlarge": 0.20, "g6.xlarge": 0.80},
    spot_share={"cpu": (0.3, 0.4, 0.5), "gpu": (0.4, 0.5, 0.6)},
    beside=offline_prices().beside,
    spot=(
        SpotPrice("g6.xlarge", "us-east-1a", 0, 0.36),
        SpotPrice("g6.xlarge", "us-east-1a", 10 * HOUR_MS, 0.72),
        SpotPrice("g6.xlarge", "us-east-1b", 0, 0.48),
    ),
)


# Of a machine's work alone: it starts and ends with it, and comes with nothing.
NOTHING = dict.fromkeys(("pending_s", "boot_s", "gpu_boot_s", "place_s", "pull_s", "linger_s"), 0.0)
BARE = Fleet(volume_gib=0, throughput_mb_s=0)
BARE_PRICES = replace(PRICES, beside=replace(PRICES.beside, address_h=0.0))


def work_cost(uses):
    return cost_of(uses, BARE_PRICES, figures=figures(**NOTHING), fleet=BARE)


def use(step="reconstruct", instance="i-1", kind="g6.xlarge", start=0, stop=HOUR_MS, **more):
    fields = {"zone": "us-east-1a", "market": "spot", "vcpus": 4}
    return Use(step, instance, kind, start_ms=start, stop_ms=stop, **(fields | more))


@pytest.mark.parametrize(
    ("uses", "usd", "lost_usd", "idle_usd"),
    [
        pytest.param([use()], 0.36, 0, 0, id="an hour of spot"),
        pytest.param([use(zone="us-east-1b")], 0.48, 0, 0, id="each zone has its price"),
        pytest.param(
            [use(start=9 * HOUR_MS, stop=11 * HOUR_MS)], 0.72, 0, 0, id="price of when it began"
        ),
        pytest.param(
            [use(start=10 * HOUR_MS, stop=11 * HOUR_MS)], 0.72, 0, 0, id="price of a later time"
        ),
        pytest.param([use(market="on-demand")], 0.80, 0, 0, id="on-demand"),
        pytest.param([use(zone="us-east-1f")], 0.40, 0, 0, id="a zone without a price: the share"),
        pytest.param(
            [use(kind="c6i.2xlarge", vcpus=8)], 0.16, 0, 0, id="a size priced by its family"
        ),
        pytest.param(
            [use(kind="c6i.2xlarge", vcpus=2)], 0.16, 0, 0.12, id="a quarter of a machine"
        ),
        pytest.param(
            [
                use(kind="c6i.2xlarge", vcpus=4),
                use(kind="c6i.2xlarge", vcpus=4, start=HOUR_MS // 2, stop=3 * HOUR_MS // 2),
            ],
            0.24,
            0,
            0.08,
            id="two attempts beside each other, half an hour of overlap",
        ),
        pytest.param(
            [use(), use(start=2 * HOUR_MS, stop=3 * HOUR_MS)], 1.08, 0, 0.36, id="idle between"
        ),
        pytest.param(
            [
                use(stop=HOUR_MS // 2, lost_ms=HOUR_MS // 3, reclaimed=True),
                use(instance="i-2", zone="us-east-1b", start=HOUR_MS, stop=2 * HOUR_MS),
            ],
            0.66,
            0.12,
            0,
            id="a reclaim: half an hour lost but for ten minutes, then an hour elsewhere",
        ),
        pytest.param([use(stop=6000)], 0.006, 0, 0.0054, id="a minute at least"),
        pytest.param([], 0, 0, 0, id="nothing"),
    ],
)
def test_costs_to_the_cent(uses, usd, lost_usd, idle_usd):
    cost = work_cost(uses)

    assert cost.usd == pytest.approx(usd, abs=1e-9)
    assert cost.lost_usd == pytest.approx(lost_usd, abs=1e-9)
    assert cost.bill[Item.IDLE] == pytest.approx(idle_usd, abs=1e-9)
    assert cost.unpriced == ()


def test_lines_are_by_step_type_and_market_in_the_order_of_steps():
    uses = [
        use("preprocess", "i-1", "c6i.xlarge"),
        use("preprocess", "i-2", "c6i.xlarge", stop=2 * HOUR_MS),
        use("preprocess", "i-3", "c6i.xlarge", market="on-demand"),
        use("average_references", "i-4", "c6i.xlarge", start=1),
        use("report", "i-4", "c6i.xlarge", start=7 * HOUR_MS, stop=8 * HOUR_MS),
        use("reconstruct", "i-5", start=4 * HOUR_MS, stop=5 * HOUR_MS, reclaimed=True),
        use("reconstruct", "i-5", start=5 * HOUR_MS, stop=6 * HOUR_MS),
    ]

    found = [
        (line.step, line.market, line.n_attempts, line.n_reclaimed, round(line.usd, 4))
        for line in work_cost(uses).lines
    ]

    assert found == [
        ("preprocess", "on-demand", 1, 0, 0.2),
        ("preprocess", "spot", 2, 0, 0.24),
        ("average_references", "spot", 1, 0, 0.08),
        ("reconstruct", "spot", 2, 1, 0.72),
        ("report", "spot", 1, 0, 0.08),
    ]


def test_a_machine_that_nobody_knows_is_named_and_not_counted_as_free():
    cost = work_cost([use(), use(instance="", kind="", zone="", market="")])

    assert cost.usd == pytest.approx(0.36)
    assert cost.unpriced == ("",)
    assert cost.n_machines == 2


def test_no_attempt_bears_more_than_its_machine():
    assert work_cost([use(kind="c6i.2xlarge", vcpus=16)]).usd == pytest.approx(0.16)


def test_before_the_first_price_that_is_known_that_one_counts():
    begun = work_cost([use(start=-HOUR_MS, stop=0)])

    assert begun.usd == pytest.approx(0.36)


def test_another_size_of_a_gpu_machine_has_no_price():
    assert PRICES.usd_h("g6.8xlarge", "on-demand", "us-east-1a", 0) is None
    assert PRICES.usd_h("c6i.8xlarge", "on-demand", "us-east-1a", 0) == pytest.approx(1.6)


def test_machines_that_do_not_know_themselves_are_not_one():
    uses = [use(instance="", start=0), use(instance="", start=2 * HOUR_MS, stop=3 * HOUR_MS)]
    cost = work_cost(uses)

    assert (cost.n_machines, cost.bill[Item.IDLE]) == (2, 0)
    assert cost.usd == pytest.approx(0.72)


def test_what_was_lost_of_a_part_of_a_machine_is_that_part():
    cost = work_cost([use(kind="c6i.2xlarge", vcpus=2, lost_ms=HOUR_MS // 2)])

    assert cost.lost_usd == pytest.approx(0.16 / 4 / 2)


def test_the_share_wasted_holds_what_was_lost_and_what_stood_idle():
    uses = [use(lost_ms=HOUR_MS // 2), use(start=2 * HOUR_MS, stop=3 * HOUR_MS)]

    assert work_cost(uses).wasted_share == pytest.approx((0.18 + 0.36) / 1.08)


def test_every_type_of_the_stacks_has_an_offline_price():
    declared = Template("batch").data["Parameters"]
    lists = [declared[name]["Default"] for name in ("CpuInstanceTypes", "GpuInstanceTypes")]
    types = [
        name if "." in name else f"{name}.4xlarge" for text in lists for name in text.split(",")
    ]
    prices = offline_prices()

    assert {name.split(".")[0] for name in types} >= {"c6i", "m6i", "g4dn", "g5", "g6"}
    for name in types:
        low, middle, high = prices.spot_range(name)
        on_demand = prices.usd_h(name, "on-demand", "", 0)
        assert 0 < low < middle < high < on_demand


DAY = likely()
BOOT_MS = 1000 * (DAY["boot_s"] + DAY["place_s"] + DAY["pull_s"] + DAY["gpu_boot_s"])
PENDING_MS, LINGER_MS = 1000 * DAY["pending_s"], 1000 * DAY["linger_s"]
VOLUME_H = (100 * 0.08 + 125 * 0.04) / 730


def test_a_machine_is_billed_from_its_launch_until_it_has_lingered():
    launched = use(start=10 * MINUTE_MS, stop=70 * MINUTE_MS, launched_ms=7 * MINUTE_MS)
    cost = cost_of([launched], PRICES)

    start_h = (3 * MINUTE_MS - PENDING_MS) / HOUR_MS
    linger_h = LINGER_MS / HOUR_MS
    assert cost.billed_h == pytest.approx(start_h + 1 + linger_h)
    assert cost.bill[Item.START] == pytest.approx(start_h * 0.36)
    assert cost.bill[Item.WORK] == pytest.approx(0.36)
    assert cost.bill[Item.LINGER] == pytest.approx(linger_h * 0.36)
    assert cost.bill[Item.VOLUMES] == pytest.approx(cost.billed_h * VOLUME_H)
    assert cost.bill[Item.ADDRESSES] == pytest.approx(cost.billed_h * 0.005)
    assert cost.usd == pytest.approx(sum(cost.bill.values()))
    assert cost.unseen["start"] == 0
    assert cost.unseen["end"] == pytest.approx(linger_h * (0.36 + VOLUME_H + 0.005))


def test_a_start_that_nobody_saw_is_taken_to_be_as_it_mostly_is():
    cost = cost_of([use()], PRICES)

    assert cost.bill[Item.START] == pytest.approx(BOOT_MS / HOUR_MS * 0.36)
    assert cost.unseen["start"] == pytest.approx(BOOT_MS / HOUR_MS * (0.36 + VOLUME_H + 0.005))


def test_a_machine_that_worked_before_it_could_is_billed_from_its_work():
    cost = cost_of([use(start=5000, launched_ms=1)], PRICES)

    assert cost.bill[Item.START] == 0


def test_a_machine_that_was_taken_back_does_not_linger():
    taken = use(stop=HOUR_MS // 2, reclaimed=True)
    again = use(instance="i-2", start=HOUR_MS, stop=2 * HOUR_MS)
    cost = cost_of([taken, again], PRICES)

    assert cost.bill[Item.LINGER] == pytest.approx(LINGER_MS / HOUR_MS * 0.36)


@pytest.mark.parametrize(("later_ms", "lingers_ms"), [(0, 0), (60_000, 60_000), (HOUR_MS, None)])
def test_as_long_as_a_run_goes_on_nothing_later_has_cost(later_ms, lingers_ms):
    cost = cost_of([use()], PRICES, until_ms=HOUR_MS + later_ms)

    expected_ms = LINGER_MS if lingers_ms is None else lingers_ms
    assert cost.bill[Item.LINGER] == pytest.approx(expected_ms / HOUR_MS * 0.36)


def test_requests_storage_and_logs_are_of_the_bill_and_unseen():
    traffic = Traffic(puts=1000, gets=1000, stored_gb_h=730, logs_gb=0.1)
    cost = cost_of([use()], PRICES, traffic=traffic)

    assert cost.bill[Item.REQUESTS] == pytest.approx(0.0054)
    assert cost.unseen["traffic"] == pytest.approx(0.0054 + 0.023 + 0.05)
