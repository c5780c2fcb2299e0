"""The reference page of config.yaml, made from its schema by ``make docs``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tomobatch.config.schema import Config

PAGE = Path("docs/reference/config.md")

_INTRODUCTION = """\
# config.yaml

What to compute. How it runs stands in `profiles/`. Unknown keys are refused.
`null` means: not given; what is needed is then found from the data. This page is made from the
schema by `make docs`.

A scan may carry any of the sections but `volume` for itself:
`scans: {tooth: {path: tooth.h5, calibrate: {cor_px: 295.5}}}`. A sheet (`scans: scans.tsv`) has the
columns `scan`, `path`, and dotted keys such as `calibrate.cor_px`.
Nested values need a file: `snakemake --configfile more.yaml` lays it over config.yaml.
"""
_TYPES = {"string": "text", "integer": "whole number", "boolean": "true, false", "null": "null"}
_BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}

Schema = dict[str, Any]


def render_reference() -> str:
    """Return the page, in Markdown."""
    schema = Config.model_json_schema()
    return "\n".join([_INTRODUCTION, *_section(schema, schema["$defs"])])


def _section(schema: Schema, definitions: dict[str, Schema]) -> Iterator[str]:
    yield "| key | values | default | what it is |\n|---|---|---|---|"
    inner = {}
    for key, value in schema["properties"].items():
        if "$ref" in value:
            inner[key] = definitions[value["$ref"].rpartition("/")[2]]
            continue
        default = "required" if key in schema.get("required", ()) else _code(value.get("default"))
        yield f"| `{key}` | {_values(value)} | {default} | {value['description']} |"
    yield ""
    for key, section in inner.items():
        yield f"## {key}\n\n{section['description']}\n"
        yield from _section(section, definitions)


def _values(value: Schema) -> str:
    if "anyOf" in value:
        return " or ".join(_values(one) for one in value["anyOf"])
    if "enum" in value or "const" in value:
        return ", ".join(f"`{one}`" for one in value.get("enum", [value.get("const")]))
    if "prefixItems" in value:
        return f"[{', '.join(_values(one) for one in value['prefixItems'])}]"
    if value["type"] == "array":
        return f"list of {_values(value['items'])}"
    if value["type"] == "object":
        return "mapping, or the path of a sheet"
    bounds = [f"{sign} {value[name]}" for name, sign in _BOUNDS.items() if name in value]
    return " ".join([_TYPES.get(value["type"], str(value["type"])), ", ".join(bounds)]).strip()


def _code(value: object) -> str:
    if value is None:
        return "`null`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(render_reference(), encoding="utf-8")
