"""Changing config.yaml for the user, whose comments, order and quotes stay.

Decision 113.
"""

import io
from collections.abc import Mapping
from typing import Any

from tomobatch.cli.shared.scans import CONFIG
from tomobatch.config.schema import load_config
from tomobatch.errors import UserError

_WIDTH = 4096
"""Of a line: longer ones would be folded."""


def change_scan(name: str, config: Mapping[str, Any], changes: Mapping[str, Any]) -> list[str]:
    """Write settings of one scan to config.yaml, below that scan alone.

    Parameters
    ----------
    name
        Of the scan, in config.yaml.
    config
        What config.yaml holds.
    changes
        By key, as ``calibrate.cor_px``.

    Returns
    -------
    What was written, a line each.

    Raises
    ------
    UserError
        If the scan stands elsewhere, or the outcome is no configuration; the file stays as it is.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap

    scans = config.get("scans", {})
    told = ", ".join(f"{key}: {value}" for key, value in changes.items())
    if isinstance(scans, str):
        raise UserError(f"{scans} holds the scans: write there, in the line of {name}, {told}")
    if name not in scans:
        raise UserError(f"{CONFIG} has no scan {name}; write where it stands: {told}")
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = _WIDTH
    text = CONFIG.read_text(encoding="utf-8")
    values = yaml.load(text)
    entry = values["scans"][name]
    if isinstance(entry, str):
        entry = values["scans"][name] = CommentedMap({"path": entry})
    for key, value in changes.items():
        section, _, setting = key.partition(".")
        if entry.get(section) is None:
            # On top: what follows the last key, comments and empty lines, belongs to it.
            entry.pop(section, None)
            entry.insert(0, section, {})
        entry[section][setting] = value
    out = io.StringIO()
    yaml.dump(values, out)
    load_config(YAML(typ="safe").load(out.getvalue()))
    partial = CONFIG.with_name(f".{CONFIG.name}.partial")
    partial.write_text(out.getvalue(), encoding="utf-8")
    partial.replace(CONFIG)
    return [f"{CONFIG}: scans.{name}.{key}: {value}" for key, value in changes.items()]
