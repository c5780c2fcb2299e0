"""Which scans may have the calibration of another one."""

import pytest
from tests.scan import stacks

from tomobatch.config.schema import load_config
from tomobatch.plan_scan import read_plans


@pytest.fixture
def plans(tmp_path):
    stacks.write_data_exchange(tmp_path / "a.h5")
    stacks.write_data_exchange(tmp_path / "b.h5")

    def make(**likes):
        scans = {
            name: {"path": str(tmp_path / f"{name[0]}.h5"), "calibrate": {"like": like}}
            for name, like in likes.items()
        }
        return make_from(scans)

    def make_from(scans):
        config = load_config({"scans": scans})
        return read_plans(config, lambda name: config.scans[name].path)

    make.of = make_from
    return make


def test_a_scan_may_name_another_and_all_may_name_one(plans):
    found = plans(a="a", b="a", b2=None)
    assert not found.refused
    assert [plan.calibrated_like for plan in found.good.values()] == ["a", "a", "b2"]


@pytest.mark.parametrize(
    ("likes", "told"),
    [
        ({"a": None, "b": "c"}, "c is no scan of this run"),
        ({"a": None, "b": "a", "b2": "b"}, "b has its calibration from a: name that"),
        ({"a": "b", "b": "a"}, "name that"),
    ],
)
def test_what_it_may_not_name_is_said(plans, likes, told):
    found = plans(**likes)
    assert any(why.startswith("calibrate.like: ") and told in why for why in found.refused.values())


def test_detectors_must_be_alike(plans, tmp_path):
    path = str(tmp_path / "a.h5")
    found = plans.of(
        {
            "a": path,
            "rows": {"path": path, "datasets": {"rows": "1-3"}, "calibrate": {"like": "a"}},
            "um": {"path": path, "datasets": {"pixel_size_um": 9}, "calibrate": {"like": "a"}},
        }
    )
    assert found.refused == {
        "rows": "calibrate.like: n_rows is 3, and 5 in a",
        "um": "calibrate.like: pixel_size_um is 9.0, and 2.5 in a",
    }
