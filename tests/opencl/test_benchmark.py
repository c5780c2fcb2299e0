"""``doctor --benchmark``: every figure is measured or says why not, and the page shows them."""

import json
from types import SimpleNamespace

import pytest
from tests.cli.calling import tomobatch

from tomobatch.benchmark import figures, run
from tomobatch.benchmark.figures import PARTS, Figure
from tomobatch.benchmark.fitting import fit
from tomobatch.opencl.devices import find_device
from tomobatch.reconstruct import methods
from tomobatch.reconstruct.methods import METHODS, expected_s

CHECKS = {"ok": True, "checks": []}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """What the command says and writes of a device as small as they come."""
    path = tmp_path_factory.mktemp("benchmark") / "out.json"
    said = tomobatch("doctor", "--device", "cpu", "--benchmark", str(path), "--size", "32")
    return said, json.loads(path.read_text()), path.with_suffix(".html").read_text()


def test_every_part_has_figures(written) -> None:
    said, found, page = written
    assert said.code == 0, said.err
    assert found["left_out"] == []
    assert list(found["parts"]) == list(PARTS)
    for name, part in found["parts"].items():
        assert part, name
        for figure in part:
            assert (figure["value"] is None) == bool(figure["problem"])
            assert figure["value"] is None or figure["value"] > 0
            assert figure["what"] in page
    measured = {figure["what"] for part in found["parts"].values() for figure in part}
    for lanes in METHODS["fourier"].lanes:
        assert f"fourier, a group a tile, {lanes} lanes, 32 px" in measured
    assert find_device("cpu").description in page


def test_its_row_is_one_of_the_cost_table(written, monkeypatch) -> None:
    _, found, _ = written
    row = found["cost_row"]["nanoseconds"]
    monkeypatch.setattr(methods, "_costs", lambda: {"T4": row})
    for name in METHODS:
        assert expected_s("gpu", figures.half_turn(32, 90), name) > 0
        low, high = found["fits"][name]
        assert 0 < low <= 1.001
        assert high >= 0.999


def test_costs_that_are_known_are_found(monkeypatch) -> None:
    """Times by a known table give that table back."""
    truth = {"block": 2e5, "filter": 0.3, "update": 0.05}

    def timed(device, geometry, lanes, make):
        work = METHODS["direct"].work(geometry)
        return 1e-9 * (truth["block"] + lanes * sum(truth[term] * work[term] for term in work))

    monkeypatch.setattr("tomobatch.benchmark.fitting.full_blocks_s", timed)
    monkeypatch.setitem(
        METHODS, "direct", SimpleNamespace(work=METHODS["direct"].work, make=lambda *_: None)
    )
    costs, (low, high) = fit(find_device("cpu"), "direct", 32)
    assert costs == pytest.approx(truth, rel=0.02)
    assert (low, high) == pytest.approx((1, 1), abs=0.01)


def test_what_there_is_no_time_for_is_named() -> None:
    found = run.measure(find_device("cpu"), CHECKS, 32, most_s=0)
    assert len(found.left_out) == len(PARTS) + len(METHODS)
    assert found.costs == {}


def test_what_a_device_refuses_is_told_beside_the_rest(monkeypatch, tmp_path) -> None:
    def refuses(device, size):
        yield Figure("one", 1.0, "ms a slice", model=2.0)
        raise MemoryError("too <large>")

    monkeypatch.setattr(run, "PARTS", {"part": refuses})
    monkeypatch.setattr(run, "METHODS", {})
    found = run.measure(find_device("cpu"), CHECKS, 32)
    assert [figure.problem for figure in found.parts["part"]] == ["", "too <large>"]
    page = run.write(found, tmp_path / "out.json").read_text()
    assert "too &lt;large&gt;" in page
    assert ">0.50<" in page


@pytest.mark.parametrize(
    ("target", "text"), [("out.txt", "ends in .json"), ("none/out.json", "there is no folder")]
)
def test_a_file_that_could_not_be_written_is_refused_first(target, text, tmp_path) -> None:
    said = tomobatch("doctor", "--benchmark", str(tmp_path / target))
    assert said.code == 1
    assert text in said.err
    assert "kernels:" not in said.out


@pytest.mark.parametrize("there", ["out.json", "out.html"])
def test_what_is_there_is_not_replaced(there, tmp_path) -> None:
    (tmp_path / there).write_text("mine")
    said = tomobatch("doctor", "--benchmark", str(tmp_path / "out.json"))
    assert said.code == 1
    assert said.err.endswith(f"{there} exists; give another name, or --force to write it anew")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]


def test_aws_has_no_device_to_measure(tmp_path) -> None:
    said = tomobatch("doctor", "--aws", "--benchmark", str(tmp_path / "out.json"))
    assert said.code == 1
    assert "leave --aws out" in said.err
