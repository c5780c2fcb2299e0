"""What a user writes to sweep settings, and what it means."""

import pytest

from tomobatch.errors import UserError
from tomobatch.preview.sweep import Sweep, combinations, read_sweep, with_implied


@pytest.mark.parametrize(
    ("text", "key", "values"),
    [
        ("cor=1020:1022:0.5", "calibrate.cor_px", (1020.0, 1020.5, 1021.0, 1021.5, 1022.0)),
        ("cor=0.1:0.3:0.1", "calibrate.cor_px", (0.1, 0.2, 0.3)),
        ("cor=5:5:1", "calibrate.cor_px", (5.0,)),
        ("stripes=none,filtering,all", "stripes.method", ("none", "filtering", "all")),
        ("filter=ramp,hann,ramp", "reconstruct.filter", ("ramp", "hann")),
        ("delta_beta=100,300.5", "phase.delta_beta", (100, 300.5)),
        ("normalise.zinger_threshold=null,0.3", "normalise.zinger_threshold", (None, 0.3)),
    ],
)
def test_a_sweep_is_a_key_and_its_values(text, key, values):
    assert read_sweep(text) == Sweep(key, values)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("cor", "write it as NAME=FIRST:LAST:STEP or NAME=VALUE,VALUE"),
        ("cor=", "write it as"),
        ("cor=1:2", "a range is FIRST:LAST:STEP"),
        ("cor=2:1:0.5", "a range rises"),
        ("cor=1:2:0", "a range rises"),
        ("cor=1:2:nan", "a range rises"),
        ("colour=red", "colour is none of cor, stripes, filter, delta_beta, nor a key of"),
        ("volume.levels=1,2", "nor a key of the sections normalise, tube, phase, stripes"),
    ],
)
def test_a_mistake_is_one_line(text, told):
    with pytest.raises(UserError) as error:
        read_sweep(text)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_several_sweeps_give_every_combination():
    sweeps = [Sweep("a.x", (1, 2)), Sweep("b.y", ("p", "q"))]
    assert combinations(sweeps) == [
        {"a.x": 1, "b.y": "p"},
        {"a.x": 1, "b.y": "q"},
        {"a.x": 2, "b.y": "p"},
        {"a.x": 2, "b.y": "q"},
    ]
    assert combinations([]) == []


def test_too_many_and_the_same_twice_are_refused():
    with pytest.raises(UserError, match="65 combinations are more than a page shows"):
        combinations([read_sweep("cor=0:1000:0.001")])
    with pytest.raises(UserError, match=r"a\.x is swept twice"):
        combinations([Sweep("a.x", (1,)), Sweep("a.x", (2,))])


def test_a_delta_beta_alone_asks_for_paganin():
    change = {"phase.delta_beta": 100}
    assert with_implied(change, {"phase": {"method": "none"}}) == {
        **change,
        "phase.method": "paganin",
    }
    given = {"method": "generalised", "material": "SiO2", "density_g_cm3": 2.2}
    assert with_implied(change, {"phase": given}) == {**change, "phase.material": None}
    assert with_implied({"stripes.snr": 2}, {"phase": {}}) == {"stripes.snr": 2}
