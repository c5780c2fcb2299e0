"""Costs of known machines, times and prices, right to the cent."""

import pytest
from tests.infrastructure.templates import Template

from tomobatch.aws.pricing import Use, cost_of
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
    cost = cost_of(uses, PRICES)

    assert cost.usd == pytest.approx(usd, abs=1e-9)
    assert cost.lost_usd == pytest.approx(lost_usd, abs=1e-9)
    assert cost.idle_usd == pytest.approx(idle_usd, abs=1e-9)
    assert cost.unpriced == ()


def test_lines_are_by_step_type_and_market_in_the_order_of_steps():
    uses = [
        use("preprocess", "i-1", "c6i.xlarge"),
        use("preprocess", "i-2", "c6i.xlarge", stop=2 * HOUR_MS),
        use("preprocess", "i-3", "c6i.xlarge", market="on-demand"),
        use("average_references", "i-4", "c6i.xlarge", start=1),
        use("reconstruct", "i-5", start=4 * HOUR_MS, stop=5 * HOUR_MS, reclaimed=True),
        use("reconstruct", "i-5", start=5 * HOUR_MS, stop=6 * HOUR_MS),
    ]

    found = [
        (line.step, line.market, line.n_attempts, line.n_reclaimed, round(line.usd, 4))
        for line in cost_of(uses, PRICES).lines
    ]

    assert found == [
        ("preprocess", "on-demand", 1, 0, 0.2),
        ("preprocess", "spot", 2, 0, 0.24),
        ("average_references", "spot", 1, 0, 0.08),
        ("reconstruct", "spot", 2, 1, 0.72),
    ]


def test_a_machine_that_nobody_knows_is_named_and_not_counted_as_free():
    cost = cost_of([use(), use(instance="", kind="", zone="", market="")], PRICES)

    assert cost.usd == pytest.approx(0.36)
    assert cost.unpriced == ("",)
    assert cost.n_machines == 2


def test_no_attempt_bears_more_than_its_machine():
    assert cost_of([use(kind="c6i.2xlarge", vcpus=16)], PRICES).usd == pytest.approx(0.16)


def test_before_the_first_price_that_is_known_that_one_counts():
    begun = cost_of([use(start=-HOUR_MS, stop=0)], PRICES)

    assert begun.usd == pytest.approx(0.36)


def test_another_size_of_a_gpu_machine_has_no_price():
    assert PRICES.usd_h("g6.8xlarge", "on-demand", "us-east-1a", 0) is None
    assert PRICES.usd_h("c6i.8xlarge", "on-demand", "us-east-1a", 0) == pytest.approx(1.6)


def test_machines_that_do_not_know_themselves_are_not_one():
    uses = [use(instance="", start=0), use(instance="", start=2 * HOUR_MS, stop=3 * HOUR_MS)]
    cost = cost_of(uses, PRICES)

    assert (cost.n_machines, cost.idle_usd) == (2, 0)
    assert cost.usd == pytest.approx(0.72)


def test_what_was_lost_of_a_part_of_a_machine_is_that_part():
    cost = cost_of([use(kind="c6i.2xlarge", vcpus=2, lost_ms=HOUR_MS // 2)], PRICES)

    assert cost.lost_usd == pytest.approx(0.16 / 4 / 2)


def test_the_share_wasted_holds_what_was_lost_and_what_stood_idle():
    uses = [use(lost_ms=HOUR_MS // 2), use(start=2 * HOUR_MS, stop=3 * HOUR_MS)]

    assert cost_of(uses, PRICES).wasted_share == pytest.approx((0.18 + 0.36) / 1.08)


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
