"""``tomobatch preview``: what it reads, what it writes to config.yaml, and what it refuses."""

import json

import pytest
import yaml
from tests.cli.calling import tomobatch

from tomobatch.phantom.write import write_phantom

CONFIG = """\
# yaml-language-server: $schema=somewhere.json
scans:
  bone: bone.h5   # the one from May
  'other':
    path: "bone.h5"
    # kept as it is
    stripes: {snr: 2.5}  # and this

results: results

reconstruct:
  filter: ramp                # shepp-logan, cosine, hamming, hann
"""


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "previews").mkdir()
    variants = [
        {},
        {"calibrate.cor_px": 33.5, "stripes.method": "all"},
        {"calibrate.cor_px": 99.5},
    ]
    for name in ("bone", "other", "bone-2"):
        file = tmp_path / "previews" / f"{name}.json"
        file.write_text(json.dumps({"scan": name, "variants": variants}))
    (tmp_path / "bone.h5").touch()
    return tmp_path


def test_apply_writes_to_the_scan_and_leaves_all_else(study):
    said = tomobatch("preview", "bone", "--apply", "1")
    assert said.code == 0, said.err
    assert "config.yaml: scans.bone.calibrate.cor_px: 33.5" in said.out
    text = (study / "config.yaml").read_text()
    entry = yaml.safe_load(text)["scans"]["bone"]
    assert entry == {
        "path": "bone.h5",
        "calibrate": {"cor_px": 33.5},
        "stripes": {"method": "all"},
    }
    rest = CONFIG.replace("  bone: bone.h5   # the one from May\n", "")
    assert rest.split("scans:\n")[1] in text
    assert "# the one from May" in text
    said = tomobatch("preview", "other", "--apply", "1")
    assert said.code == 0, said.err
    text = (study / "config.yaml").read_text()
    assert "    # kept as it is\n    stripes: {snr: 2.5, method: all} # and this\n\nresults" in text
    assert yaml.safe_load(text)["scans"]["other"]["calibrate"] == {"cor_px": 33.5}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("bone", "--apply", "3"), "--apply 3: the preview has the variants 0 to 2"),
        (("bone", "--apply", "0"), "--apply 0: it is what the configuration asks for already"),
        (("nothing.h5",), "nothing.h5: no such file or folder, nor a scan of config.yaml"),
        (("bone", "--rows", "a,b"), "cannot"),
        (("bone", "--output", "page.pdf"), "--output page.pdf: a page ends in .html"),
        (("bone", "--output", "previews/other.html"), "previews/other.json exists; give another"),
    ],
)
def test_a_mistake_is_one_line_and_the_file_stays(study, arguments, told):
    said = tomobatch("preview", *arguments)
    assert said.code == 1
    if told != "cannot":
        assert told in said.err
    assert (study / "config.yaml").read_text() == CONFIG


def test_without_a_preview_or_beside_config_yaml_it_is_said(study, tmp_path):
    (study / "previews" / "bone.json").unlink()
    said = tomobatch("preview", "bone", "--apply", "1")
    assert "previews/bone.json: no preview of bone yet; make one with --sweep first" in said.err
    (study / "second.h5").touch()
    (study / "previews" / "bone.json").with_name("second.json").write_text(
        json.dumps({"variants": [{}, {"calibrate.cor_px": 3.5}]})
    )
    said = tomobatch("preview", "second.h5", "--apply", "1")
    assert (
        "config.yaml has no scan second; write where it stands: calibrate.cor_px: 3.5" in said.err
    )
    sheet = study / "scans.tsv"
    sheet.write_text("scan\tpath\nbone\tbone.h5\n")
    (study / "config.yaml").write_text("scans: scans.tsv\n")
    (study / "previews" / "bone.json").write_text(
        json.dumps({"variants": [{}, {"calibrate.cor_px": 3.5}]})
    )
    said = tomobatch("preview", "bone", "--apply", "1")
    assert "scans.tsv holds the scans: write there, in the line of bone, calibrate.cor_px: 3.5" in (
        said.err
    )


def test_a_scan_of_the_configuration_is_known_by_its_path_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_phantom(tmp_path / "a.h5", size=48, n_rows=16, n_angles=60, n_flats=4, n_darks=4)
    (tmp_path / "config.yaml").write_text(
        "scans:\n  mine: {path: a.h5, calibrate: {cor_px: 24.25}, stripes: {method: none}}\n"
    )
    said = tomobatch("preview", "a.h5", "--rows", "3", "--sweep", "cor=20:30:10")
    assert said.code == 0, said.err
    assert "previews/mine.html" in said.out
    assert "centre of rotation 24.25 px in the middle row, as given" in said.out
    assert "3 slices, of " in said.out
    said = tomobatch("preview", "a.h5", "--rows", "16")
    assert "--rows: 16 is not among the rows of the scan, 0 to 15" in said.err
    said = tomobatch("preview", "a.h5", "--sweep", "stripes=none,al")
    assert said.code == 1
    assert "stripes.method" in said.err
