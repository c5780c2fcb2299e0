"""The schema for editors: what the models accept it accepts, and config.yaml is the defaults."""

import json

import jsonschema
import pytest
import yaml

from tomobatch.config.json_schema import EDITOR_LINE, PAGE, render_schema
from tomobatch.config.schema import Config, ScanConfig, load_config
from tomobatch.errors import UserError

SCHEMA = json.loads(render_schema())


def test_the_file_is_made_from_the_models_as_they_are(repository):
    assert (repository / PAGE).read_text() == render_schema(), "stale: run make docs"
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "values",
    [
        {"scans": {"a": "a.h5"}},
        {"scans": "scans.tsv"},
        {"scans": {"a": {"path": "a.h5", "calibrate": {"cor_px": 3}}}},
        {"scans": {"a": "a.h5"}, "chunks": {"slices": "auto"}, "volume": {"export": ["tiff"]}},
        {"scans": {"a": "a.h5"}, "reconstruct": {"roi_px": [0, 0, 10, 10]}},
    ],
)
def test_what_may_be_written_is_valid(values):
    jsonschema.validate(values, SCHEMA)
    if isinstance(values["scans"], dict):
        load_config(values)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"scans": {}},
        {"scans": {"a": "a.h5"}, "stripe": {}},
        {"scans": {"a": "a.h5"}, "stripes": {"methode": "all"}},
        {"scans": {"a": "a.h5"}, "stripes": {"method": "alle"}},
        {"scans": {"a": {"calibrate": {}}}},
        {"scans": {"../a": "a.h5"}},
        {"scans": {"a": "a.h5"}, "volume": {"levels": 0}},
        {"scans": {"a": {"path": "a.h5", "volume": {"levels": 2}}}},
    ],
)
def test_what_is_refused_is_marked(values):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(values, SCHEMA)
    with pytest.raises(UserError):
        load_config(values)


def test_config_yaml_holds_the_defaults(repository):
    text = (repository / "config.yaml").read_text(encoding="utf-8")
    values = yaml.safe_load(text)
    jsonschema.validate(values, SCHEMA)
    assert text.startswith(EDITOR_LINE.format(path=PAGE))
    found = load_config(values)
    plain = load_config({"scans": values["scans"]})
    for name in Config.model_fields:
        assert getattr(found, name) == getattr(plain, name), name
    # What is there for every section: the file teaches that it exists.
    assert set(Config.model_fields) - set(values) == set()
    assert set(ScanConfig.model_fields) - {"path"} <= set(values)
