"""The ways to run a scan, and which of them serves a deadline or a budget."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
from tests.cli.calling import tomobatch
from tests.fleet.scans import plan_of_size

from tomobatch.cli.shared.front_view import few_of, show_front
from tomobatch.errors import UserError
from tomobatch.estimate.estimate import Range
from tomobatch.estimate.planner import Way, choose_way, counts_up_to, front_of, ways_to_run
from tomobatch.fleet.figures import offline_figures
from tomobatch.fleet.machines import Fleet
from tomobatch.fleet.prices import offline_prices
from tomobatch.phantom.write import write_phantom


def way(n, minutes, usd, queue="cpu"):
    """Nine of ten runs take up to a tenth more."""
    elapsed_s = Range(54 * minutes, 60 * minutes, 66 * minutes)
    estimate = SimpleNamespace(elapsed_s=elapsed_s, usd=Range(0.9 * usd, usd, 1.1 * usd))
    return Way(n, queue, estimate)


WAYS = [way(1, 60, 0.20), way(4, 25, 0.22), way(16, 16, 0.40), way(64, 14, 0.90)]
DEARER = way(16, 20, 1.10, "gpu")


def test_what_is_slower_and_dearer_is_not_of_the_front():
    assert front_of([DEARER, *WAYS]) == WAYS
    assert front_of([*WAYS, replace(WAYS[0], most_children=2)])[0].usd == 0.20


@pytest.mark.parametrize(
    ("deadline_min", "budget_usd", "n"),
    [
        (None, None, 4),
        (30, None, 4),
        (26, None, 16),
        (18, None, 16),
        (None, 1.0, 64),
        (None, 0.95, 16),
        (None, 0.23, 1),
        (28, 0.30, 4),
        (1000, None, 1),
    ],
)
def test_the_way_that_is_chosen_keeps_what_was_asked_in_nine_of_ten_runs(
    deadline_min, budget_usd, n
):
    deadline_s = None if deadline_min is None else 60 * deadline_min
    assert choose_way([*WAYS, DEARER], deadline_s, budget_usd).most_children == n


def test_if_no_way_serves_the_nearest_are_named():
    with pytest.raises(UserError, match=r"keeps 10 minutes and \$0\.10 in nine of ten runs; the "):
        choose_way(WAYS, 600, 0.10)
    with pytest.raises(UserError, match=r"fastest takes 15 minutes for \$0\.99, the cheapest 66"):
        choose_way(WAYS, 600)


def test_the_gpu_is_not_of_the_front_of_a_scan_of_2048_px():
    """At 21 s a job, of which the kernel takes one, it is not worth its boot."""
    ways = ways_to_run(
        [plan_of_size(1800, 2048, 2048)],
        *(offline_prices(), Fleet(), offline_figures()),
        counts=counts_up_to(16),
        n_draws=8,
    )

    assert [(each.queue, each.pilots, each.most_children) for each in ways[:10]] == [
        ("cpu", pilots, n) for pilots in (False, True) for n in (1, 2, 4, 8, 16)
    ]
    front = front_of(ways)
    assert {each.queue for each in front} == {"cpu"}
    # Beyond the cheapest, whatever an array a step does, pilots do sooner.
    assert all(each.pilots for each in front[1:])
    assert choose_way(ways).children in ("8 pilots", "16 pilots")
    assert choose_way(ways, 60 * 60, 0.30).usd < 0.30


@pytest.mark.parametrize("chosen", [0, 1, 4, 5, 8])
def test_of_a_long_front_a_few_ways_are_shown_and_always_the_chosen_one(chosen, capsys):
    front = [way(2**k, 100 - 10 * k, 0.1 * (k + 1)) for k in range(9)]

    shown = few_of(front, front[chosen])
    assert len(shown) == 5
    assert [shown[0], shown[-1]] == [front[0], front[-1]]
    assert front[chosen] in shown
    assert front_of(shown) == shown
    show_front([*front, DEARER], front[chosen], every=False)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 8
    assert lines[-2] == "(5 of 9 that no other beats: --front shows all)"
    assert few_of(front[:3], front[1]) == front[:3]
    show_front([*front, DEARER], front[chosen], every=True)
    assert len(capsys.readouterr().out.splitlines()) == 11
    show_front(front[:1], front[0], every=False)
    assert capsys.readouterr().out == "", "there is no choice"


def test_on_the_command_line(tmp_path):
    write_phantom(tmp_path / "tiny.h5", size=48, n_rows=12, n_angles=60)
    asked = ("estimate", str(tmp_path / "tiny.h5"), "--offline", "--machines", "2")
    said = tomobatch(*asked, "--deadline", "40m", "--plot", str(tmp_path / "front.svg"))

    assert said.code == 0, said.err
    assert "Plan: 2 a step, reconstruction on the CPU queue, the cheapest that keeps 40" in said.out
    assert "on the GPU queue 2 a step" in said.out
    assert (tmp_path / "front.svg").read_text().lstrip().startswith("<?xml")

    again = tomobatch(*asked, "--plot", str(tmp_path / "front.svg"))
    assert "front.svg exists; give another name, or --force to write it anew" in again.err
    assert again.out == ""

    asked = (*asked[:3], "--queue", "gpu", "--pilots", "2")
    piloted = tomobatch(*asked, "--front")
    assert "children  queue" in piloted.out
    assert "Plan: 2 pilots, reconstruction on the GPU queue, as asked" in piloted.out
    way = json.loads(tomobatch(*asked, "--json").out)["way"]
    assert way == {"children": 2, "pilots": True, "queue": "gpu"}

    refused = tomobatch(*asked, "--deadline", "1m")
    assert refused.code == 1
    assert "no way to run keeps 1 minutes in nine of ten runs" in refused.err
    odd = tomobatch(*asked, "--deadline", "soon")
    assert odd.code == 1
    assert "--deadline soon: write a time such as 20m, 1h30m or 90s" in odd.err
