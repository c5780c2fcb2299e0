"""A config.yaml as plain values; what YAML takes silently and no user means is refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tomobatch.errors import UserError


def read_config_file(path: Path) -> dict[str, Any]:
    """Read a configuration file, of which YAML's last key of a name would win without a word.

    Raises
    ------
    UserError
        It is no YAML, no mapping, or names a key twice; with the line.
    """
    text = path.read_text(encoding="utf-8-sig")
    try:
        node = yaml.compose(text, yaml.SafeLoader)
        values = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = "" if error.problem_mark is None else f" line {error.problem_mark.line + 1}:"
        raise UserError(f"{path}:{line} this is no YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path}: this is no YAML: {' '.join(str(error).split())}") from None
    for key, first, again in _doubled(node):
        raise UserError(
            f"{path}: line {again}: {key!r} stands here again, after line {first}; join the two"
        )
    if values is not None and not isinstance(values, dict):
        raise UserError(f"{path}: this should be a mapping of keys to values")
    return values or {}


def _doubled(node: yaml.Node | None) -> Iterator[tuple[str, int, int]]:
    """Find the keys that one mapping has twice, each with both its lines."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _doubled(item)
    if isinstance(node, yaml.MappingNode):
        lines: dict[tuple[str, str], int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            name = key.tag, str(key.value)
            if name in lines:
                yield name[1], lines[name], line
            lines[name] = line
            yield from _doubled(value)
