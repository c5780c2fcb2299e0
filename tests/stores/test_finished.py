"""Which finished results may be made anew unasked, and what is told of the others."""

import json
from functools import partial
from types import SimpleNamespace

import pytest

from tomobatch import __version__
from tomobatch.cli.shared.replacing import may_replace
from tomobatch.config.schema import load_config
from tomobatch.errors import UserError
from tomobatch.stores.anywhere import remove_folder
from tomobatch.stores.finished import note_settings, read_made_with, why_not_replace


def settings(path="a.h5", **sections):
    return (
        load_config({"scans": {"a": {"path": path, **sections}}}).scans["a"].model_dump(mode="json")
    )


@pytest.fixture
def results(tmp_path):
    """The folder of a scan that was finished with the defaults."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "report.html").write_text("a report")
    note_settings(str(tmp_path / "a"), settings())
    return str(tmp_path / "a")


def test_the_same_settings_may_be_made_anew(results):
    assert why_not_replace(results, settings()) is None


@pytest.mark.parametrize(
    "sections",
    [{"chunks": {"slices": 7}}, {"chunks": {"memory_mb": 9}}, {"reconstruct": {"device": "cpu"}}],
)
def test_how_it_is_computed_does_not_matter(results, sections):
    assert why_not_replace(results, settings(**sections)) is None


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"calibrate": {"cor_px": 12.5}}, "calibrate.cor_px: null then, 12.5 now"),
        ({"reconstruct": {"filter": "hann"}}, 'reconstruct.filter: "ramp" then, "hann" now'),
        ({"path": "b/a.h5"}, 'path: "a.h5" then, "b/a.h5" now'),
        ({"datasets": {"exclude": [3]}}, "datasets.exclude: null then, [3] now"),
    ],
)
def test_other_settings_and_other_scans_are_told(results, other, told):
    assert (
        why_not_replace(results, settings(**other))
        == f"{results} is finished, with other settings ({told})"
    )


def test_a_scan_is_the_same_however_its_path_is_spelt(results, tmp_path, monkeypatch):
    (tmp_path / "scans").mkdir()
    monkeypatch.chdir(tmp_path / "scans")
    note_settings(results, settings(path="a.h5"))

    assert why_not_replace(results, settings(path=str(tmp_path / "scans" / "a.h5"))) is None
    assert why_not_replace(results, settings(path="../a.h5")) is not None


def test_many_differences_are_counted(results):
    many = {"cor_px": 1, "tilt_deg": 0, "grey_window": [0, 1], "grey_percentiles": [1, 99]}
    assert why_not_replace(results, settings(calibrate=many)).endswith(", and 1 more)")


def test_what_is_not_finished_holds_nobody_up(tmp_path):
    note_settings(str(tmp_path / "a"), settings())
    assert read_made_with(str(tmp_path / "a")) is None
    assert why_not_replace(str(tmp_path / "a"), settings(calibrate={"cor_px": 3})) is None


@pytest.mark.parametrize(("record", "version"), [(None, "0.1.0"), ({"version": "0.1.7"}, "0.1.7")])
def test_results_of_a_version_that_wrote_no_settings_are_recognised(tmp_path, record, version):
    (tmp_path / "report.html").write_text("a report")
    if record is not None:
        (tmp_path / "records").mkdir()
        (tmp_path / "records" / "calibrate.json").write_text(json.dumps(record))
    assert read_made_with(str(tmp_path)).version == version
    told = why_not_replace(str(tmp_path), settings())
    if version != __version__:
        assert told == f"{tmp_path} is finished, by tomobatch {version} (this is {__version__})"


def test_who_would_replace_results_of_0_1_0_is_asked(tmp_path, capsys):
    """As that version left them: a report, no findings.json, and no settings.json."""
    folder = tmp_path / "a"
    for name in ("report.html", "calibration.json", "records/calibrate.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}")
    plan = SimpleNamespace(settings=settings())
    for scan, where in (("a", folder), ("new", tmp_path / "new")):
        ask = partial(may_replace, {scan: str(where)}, {scan: plan}, {scan: {"path": "a.h5"}})
        if scan == "new":
            assert ask(yes=False) is False
        else:
            assert ask(yes=True) is True
            with pytest.raises(UserError, match="Make 1 finished result anew"):
                ask(yes=False)
    assert capsys.readouterr().out == f"{folder}: finished, by tomobatch 0.1.0\n" * 2


def test_a_folder_is_removed_whole_and_counted(tmp_path):
    (tmp_path / "x" / "c" / "0").mkdir(parents=True)
    (tmp_path / "x" / "c" / "0" / "1").write_bytes(b"123")
    (tmp_path / "x" / "zarr.json").write_bytes(b"{}")
    (tmp_path / "beside").write_bytes(b"stays")
    assert remove_folder(str(tmp_path / "x")) == 5
    assert [path.name for path in tmp_path.iterdir()] == ["beside"]
    assert remove_folder(str(tmp_path / "x")) == 0
