"""The JSON schema of config.yaml, by which editors complete keys and mark mistakes.

Written by ``make docs``; every study folder has it with its copy of the workflow.
"""

import json
from pathlib import Path
from typing import Any

from tomobatch.config.schema import Config
from tomobatch.workflow import CONFIG_SCHEMA

PAGE = Path(CONFIG_SCHEMA)

EDITOR_LINE = "# yaml-language-server: $schema={path}"
"""The comment on top of a config.yaml that leads editors to its schema, by a relative path."""


def render_schema() -> str:
    """Return the schema, as JSON text."""
    return json.dumps(_as_written(Config.model_json_schema()), indent=1) + "\n"


def _as_written(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of what users write: a scan may be its path alone, all scans a sheet."""
    scans = schema["properties"]["scans"]
    ((name, scan),) = scans["patternProperties"].items()
    path = {"type": "string", "description": "path or s3:// address"}
    by_name = {
        "type": "object",
        "minProperties": scans["minProperties"],
        "patternProperties": {name: {"anyOf": [path, scan]}},
        "additionalProperties": False,
    }
    sheet = {"type": "string", "description": "path of a .tsv or .csv sheet"}
    schema["properties"]["scans"] = {
        "description": scans["description"],
        "anyOf": [by_name, sheet],
    }
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {**dialect, **schema, "title": "config.yaml of tomobatch"}


if __name__ == "__main__":
    PAGE.write_text(render_schema(), encoding="utf-8")
