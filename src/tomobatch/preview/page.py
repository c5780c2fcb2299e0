"""The page of a preview: one file, slices side by side."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import yaml
from jinja2 import Environment, PackageLoader, select_autoescape

from tomobatch.arrays import Float32Array
from tomobatch.cores import n_usable_cores
from tomobatch.preview.slices import Preview, Tile
from tomobatch.preview.sweep import SHORT, Changes
from tomobatch.report.images import data_uri, full_png, percentile_window
from tomobatch.units import grey_unit

_WINDOW_PERCENTILES = 0.5, 99.8
_SHORT_NAMES = {key: name for name, key in SHORT.items()}


@dataclass(frozen=True)
class Shown:
    """One slice as the page shows it."""

    tile: Tile
    uri: str
    label: str
    note: str
    best: frozenset[str]


def render_page(preview: Preview, name: str, command: str) -> str:
    """Return the page as HTML that needs no other file.

    Parameters
    ----------
    preview
        What it shows.
    name
        Of the scan.
    command
        What writes a variant to the configuration, but for the variant's number.
    """
    environment = Environment(
        loader=PackageLoader("tomobatch.preview", "."),
        autoescape=select_autoescape(default=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    window = _window(preview)
    with ThreadPoolExecutor(n_usable_cores()) as threads:
        uris = list(threads.map(lambda tile: data_uri(full_png(tile.image, window)), preview.tiles))
    by_row = {row: _shown(preview, row, uris) for row in preview.rows}
    return environment.get_template("page.html").render(
        name=name,
        preview=preview,
        unit=grey_unit(preview.plan.pixel_size_um),
        window=window,
        by_row=by_row,
        found_line=found_in_words(preview),
        choices={
            number: {"lines": config_lines(name, variant.changes), "command": command}
            for number, variant in enumerate(preview.variants)
            if variant.changes
        },
    )


def found_in_words(preview: Preview) -> str:
    """Return one line on the axis and on what is done against stripes."""
    line = preview.found.line
    if preview.found.cor_source == "given":
        axis = f"centre of rotation {line.mid_px:.2f} px in the middle row, as given"
    else:
        by = "the run" if preview.is_from_run else "these rows alone"
        axis = (
            f"centre of rotation {line.mid_px:.2f} ± {line.mid_sigma_px:.2f} px in the middle row,"
            f" found by {by}"
        )
    if preview.found.tilt_source == "given" or preview.is_from_run or len(preview.rows) > 1:
        axis += f", tilt {preview.found.tilt_deg:.3f}°"
    else:
        axis += "; one row does not tell the tilt"
    if preview.stripes.asked != "auto":
        return f"{axis}. Against stripes: {preview.stripes.method}."
    by = "the run" if preview.is_from_run else "these rows; a run looks at eight"
    return f"{axis}. Against stripes: {preview.stripes.method}, chosen by {by}."


def config_lines(name: str, changes: Changes) -> str:
    """Return what a variant is in config.yaml, for this scan alone."""
    sections: dict[str, dict[str, Any]] = {}
    for key, value in changes.items():
        section, _, setting = key.partition(".")
        sections.setdefault(section, {})[setting] = value
    return str(yaml.safe_dump({"scans": {name: sections}}, sort_keys=False)).rstrip()


def label_of(changes: Mapping[str, Any]) -> str:
    """Return a variant in a few words."""
    parts = []
    for key, value in changes.items():
        short = _SHORT_NAMES.get(key, key)
        parts.append(f"{short} {value:g}" if isinstance(value, float) else f"{short} {value}")
    return ", ".join(parts)


def _window(preview: Preview) -> tuple[float, float]:
    """Return one grey window for all slices: the given one, or that of those of variant 0."""
    given = preview.plan.config.calibrate.grey_window
    if given is not None:
        return given
    values = np.concatenate([_disc(tile.image) for tile in preview.tiles if tile.variant == 0])
    return percentile_window(values, *_WINDOW_PERCENTILES)


def _disc(image: Float32Array) -> Float32Array:
    y, x = (np.linspace(-1, 1, side) for side in image.shape)
    return image[np.hypot(y[:, None], x[None, :]) < 1]


def _shown(preview: Preview, row: int, uris: list[str]) -> list[Shown]:
    pairs = [(tile, uri) for tile, uri in zip(preview.tiles, uris, strict=True) if tile.row == row]
    tiles = [tile for tile, _ in pairs]
    best = _best(tiles) if len(tiles) > 1 else {}
    nearest = _nearest(preview)
    shown = []
    for tile, uri in pairs:
        changes = preview.variants[tile.variant].changes
        label = label_of(changes) if changes else "as configured"
        note = "found" if tile.variant == 0 else "nearest to what was found"
        marked = tile.variant == 0 or tile.variant == nearest
        holds = frozenset(name for name, number in best.items() if number == tile.variant)
        shown.append(Shown(tile, uri, label, note if marked else "", holds))
    return shown


def _best(tiles: list[Tile]) -> dict[str, int]:
    """Return which variant is the sharpest, has the least rings, and the least noise."""
    ringed = [tile for tile in tiles if tile.figures.rings is not None]
    best = {
        "sharpness": max(tiles, key=lambda tile: tile.figures.sharpness).variant,
        "noise": min(tiles, key=lambda tile: tile.figures.noise).variant,
    }
    if ringed:
        best["rings"] = min(ringed, key=lambda tile: tile.figures.rings or 0.0).variant
    return best


def _nearest(preview: Preview) -> int | None:
    """Return the variant whose centre of rotation is nearest to the found one, if it is swept."""
    key, found_px = "calibrate.cor_px", preview.found.line.mid_px
    swept = [
        (abs(variant.changes[key] - found_px), number)
        for number, variant in enumerate(preview.variants[1:], 1)
        if len(variant.changes) == 1 and variant.changes.get(key) is not None
    ]
    return min(swept)[1] if swept else None
