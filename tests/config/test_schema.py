import pytest

from tomobatch.config.reference import render_reference
from tomobatch.config.schema import Config, load_config
from tomobatch.errors import UserError


def config(**sections):
    return {"scans": {"a": "a.h5"}, **sections}


def test_a_scan_gets_the_shared_sections_and_its_own_values_on_top():
    loaded = load_config(
        {
            "scans": {"a": "a.h5", "b": {"path": "b.h5", "chunks": {"slices": 7}}},
            "chunks": {"slices": 16, "projections": 10},
            "stripes": {"method": "none"},
        }
    )
    assert loaded.scans["a"].chunks.slices == 16
    assert loaded.scans["b"].chunks.slices == 7
    assert loaded.scans["b"].chunks.projections == 10
    assert loaded.scans["b"].stripes.method == "none"


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfscan;path;calibrate.cor_px\r\na;a.h5;12.5\r\nb;b.h5;\r\n;;\r\n",
        b"scan,path,calibrate.cor_px\na,a.h5,12.5\nb,b.h5,\n",
        b"scan\tpath\tcalibrate.cor_px\na\ta.h5\t12.5\nb\tb.h5\n",
    ],
)
@pytest.mark.parametrize("name", ["scans.csv", "scans.tsv"])
def test_a_sheet_as_excel_writes_it_reads_as_one_with_tabs(tmp_path, content, name):
    sheet = tmp_path / name
    sheet.write_bytes(content)
    loaded = load_config({"scans": str(sheet)})
    assert [scan.path for scan in loaded.scans.values()] == ["a.h5", "b.h5"]
    assert loaded.scans["a"].calibrate.cor_px == 12.5
    assert loaded.scans["b"].calibrate.cor_px is None


def test_a_scan_given_as_the_sheet_is_told(tmp_path):
    scan = tmp_path / "tooth.h5"
    scan.write_bytes(b"\x89HDF\r\n\x1a\n\xff\xfe")
    with pytest.raises(UserError, match=r"no sheet .* if it is a scan, write scans: \{tooth: "):
        load_config({"scans": str(scan)})


def test_a_sheet_names_scans_and_dotted_keys(tmp_path):
    sheet = tmp_path / "scans.tsv"
    sheet.write_text("scan\tpath\tcalibrate.cor_px\na\ta.h5\t12.5\nb\tb.h5\t\n")
    loaded = load_config({"scans": str(sheet)})
    assert loaded.scans["a"].calibrate.cor_px == 12.5
    assert loaded.scans["b"].calibrate.cor_px is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (config(reconstruct={"fitler": "hann"}), "'reconstruct.fitler'; did you mean 'filter'?"),
        (config(chunk={}), "unknown key 'chunk'; did you mean 'chunks'?"),
        (
            {"scans": {"a": {"path": "a.h5", "calibrate": {"cor": 3}}}},
            "'scans.a.calibrate.cor'; did you mean 'cor_px'?",
        ),
        (config(xyzzy=1), "unknown key 'xyzzy'; known keys: align, calibrate, chunks"),
        ({}, "scans is missing"),
        ({"scans": {}}, "scans: no scan"),
        ({"scans": {"a b": "a.h5"}}, "scans.a b: "),
        ({"scans": {"a": 3}}, "scans.a: should be a mapping of keys to values, got 3"),
        (config(chunks=3), "chunks: should be a mapping of keys to values, got 3"),
        (
            config(chunks={"slices": 0}),
            "chunks.slices: should be greater than or equal to 1",
        ),
        (config(chunks={"slices": "many"}), "chunks.slices: should be a valid integer"),
        (config(reconstruct={"filter": "boxcar"}), "reconstruct.filter: should be 'ramp'"),
        (config(normalise={"transmission_min": 2}), "normalise.transmission_min: should be less"),
        (config(calibrate={"grey_window": [2, 1]}), "the first value must be below the second"),
        (config(calibrate={"grey_percentiles": [0, 101]}), "must lie between 0 and 100"),
        (config(volume={"levels": 0}), "volume.levels: should be greater"),
    ],
)
def test_a_mistake_is_one_line_that_names_key_and_remedy(values, message):
    with pytest.raises(UserError) as caught:
        load_config(values)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist"),
        ("name\tpath\na\ta.h5\n", "lacks the column 'scan'"),
        ("scan\tpath\na\ta.h5\na\tb.h5\n", "line 3 names the scan 'a' a second time"),
        ("scan\tpath\tcalibrate.cor\na\ta.h5\t3\n", "did you mean 'cor_px'?"),
    ],
)
def test_a_faulty_sheet_is_told(tmp_path, content, message):
    sheet = tmp_path / "scans.tsv"
    if content is not None:
        sheet.write_text(content)
    with pytest.raises(UserError, match="scan") as caught:
        load_config({"scans": str(sheet)})
    assert message in str(caught.value)


def test_the_reference_page_is_made_from_the_schema_as_it_is(repository):
    page = (repository / "docs" / "reference" / "config.md").read_text()
    assert page == render_reference(), "stale: run make docs"


def test_the_docs_say_which_pixels_every_key_counts(repository):
    page = (repository / "docs/how-to/detector.md").read_text(encoding="utf-8")
    table = page.partition("## Which pixels are counted")[2]
    definitions = Config.model_json_schema()["$defs"].values()
    keys = {key for each in definitions for key in each["properties"] if key.endswith("_px")}
    assert "cor_px" in keys
    assert {key for key in keys if f"{key}`" not in table} == set()
