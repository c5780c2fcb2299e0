"""A commented config.yaml for scans, made from a look at each and from the schema."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tomobatch import job_memory
from tomobatch.cli.shared.naming import name_scans, without_repeats
from tomobatch.cli.shared.study import seen_from
from tomobatch.config.json_schema import EDITOR_LINE
from tomobatch.config.schema import Config, load_config
from tomobatch.errors import UserError
from tomobatch.plan_scan import plan_scan
from tomobatch.s3.address import is_remote
from tomobatch.scan.header import AngleSource, ScanHeader
from tomobatch.scan.inspection import Inspection, inspect
from tomobatch.scan.open import open_scan
from tomobatch.scan.settings import DatasetSettings
from tomobatch.scan.several import name_within, scans_within
from tomobatch.workflow import CONFIG_SCHEMA, COPY

_MOST_JOB_MB = 7000
"""Memory of a job beyond which chunks are sized by themselves: what the stacks' jobs have."""


@dataclass(frozen=True)
class Seen:
    """A scan that was looked at.

    Attributes
    ----------
    path
        Where it lies, seen from the folder of the study.
    place
        Where it is in a file that holds several; None for a file of its own.
    header, inspection
        What it is.
    """

    path: str
    place: str | None
    header: ScanHeader
    inspection: Inspection


def config_for(folder: Path, scans: Iterable[str]) -> tuple[str, list[str]]:
    """Look at each scan and return the text of a study's config.yaml, and the scans' names.

    Raises
    ------
    UserError
        If one can't be opened, or lacks what a reconstruction needs.
    """
    paths = without_repeats(list(scans))
    seen = seen_from(folder, paths)
    names = name_scans([seen[path] for path in paths])
    found: dict[str, Seen] = {}
    for (name, lies_at), path in zip(names.items(), paths, strict=True):
        places = scans_within(path)
        found |= {name_within(name, place): look(path, lies_at, place) for place in places}
        if not places:
            found[name] = look(path, lies_at)
    return write_config(found), list(found)


def look(path: str, lies_at: str, place: str | None = None) -> Seen:
    """Inspect a scan.

    Parameters
    ----------
    path, lies_at
        Where it is, seen from here and from the folder of the study.
    place
        Where in its file; None for a file of its own.

    Raises
    ------
    UserError
        If it can't be opened, or lacks what a reconstruction needs.
    """
    datasets = DatasetSettings(projections=place)
    inspection = inspect(path, datasets)
    if inspection.problems:
        raise UserError(f"{path}: {inspection.problems[0]}")
    with open_scan(path, datasets) as scan:
        return Seen(lies_at, place, scan.header, inspection)


def write_config(scans: dict[str, Seen]) -> str:
    """Return the text of the file; it says what the schema's defaults are, and is checked by it."""
    lines = [
        EDITOR_LINE.format(path=COPY / CONFIG_SCHEMA),
        "# What to compute. How it runs (cores, memory, queues) stands in profiles/.",
        "# Every key but `scans` may be left out; what is written here are the defaults.",
        "# All keys: docs/reference/config.md",
        "",
        "scans:",
    ]
    for name, seen in scans.items():
        lines += [f"  {line}".rstrip() for line in _scan(name, seen)]
    fields = Config.model_fields
    plain = ("results", "keep_intermediates", "replace_results")
    lines += ["", *(_line(key, fields[key], fields[key].default) for key in plain), ""]
    chunks = _chunks(scans)
    for name, field in Config.model_fields.items():
        section = field.default
        if not isinstance(section, BaseModel) or name == "datasets":
            continue
        lines += [f"# {type(section).__doc__}", f"{name}:"]
        lines += [f"  {line}" for line in _section(section, chunks if name == "chunks" else {})]
        lines.append("")
    text = "\n".join(lines)
    load_config(yaml.safe_load(text))
    return text


def _scan(name: str, seen: Seen) -> Iterator[str]:
    header, facts = seen.header, seen.inspection.facts
    yield f"# {facts['format']}: {facts['projections']}"
    yield f"# flats: {facts['flats']}, darks: {facts['darks']}, pixel size: {facts['pixel size']}"
    yield f"# angles: {facts['angles']}"
    yield from (f"# odd: {oddity}" for oddity in seen.inspection.oddities)
    lies_at = seen.path if is_remote(seen.path) else str(Path(seen.path))
    if header.angle_source is AngleSource.ASSUMED:
        yield "# the file says no angles: half a turn is assumed and held against the projections;"
        yield "# where that is wrong, say datasets: {angle_range_deg: [first, last]} of this scan"
    if header.pixel_size_um is not None and seen.place is None:
        yield f"{_value(name)}: {_value(lies_at)}"
        return
    yield f"{_value(name)}:"
    yield f"  path: {_value(lies_at)}"
    yield "  datasets:"
    if seen.place is not None:
        yield f"    projections: {_value(seen.place)}"
    if header.pixel_size_um is None:
        yield "    pixel_size_um: null  # the file does not say: grey values are 1/pixel without it"


def _section(section: BaseModel, chosen: dict[str, Any]) -> Iterator[str]:
    for key, field in type(section).model_fields.items():
        yield _line(key, field, chosen.get(key, getattr(section, key)))


def _line(key: str, field: FieldInfo, value: Any) -> str:  # noqa: ANN401 - as _value
    return f"{key + ': ' + _value(value):<26}  # {field.description}"


def _chunks(scans: dict[str, Seen]) -> dict[str, Any]:
    """Leave chunks at their defaults unless a job of them would need too much memory."""
    config = load_config({"scans": {name: seen.path for name, seen in scans.items()}})
    plans = [plan_scan(config, name, seen.header) for name, seen in scans.items()]
    largest_mb = max(
        max(job_memory.of_projections(plan), job_memory.of_slices(plan)) for plan in plans
    )
    return {"projections": "auto", "slices": "auto"} if largest_mb > _MOST_JOB_MB else {}


def _value(value: Any) -> str:  # noqa: ANN401 - any value of the schema
    plain = list(value) if isinstance(value, tuple) else value
    text = yaml.safe_dump(plain, default_flow_style=True, width=10_000)
    return text.removesuffix("\n").removesuffix("\n...")
