"""Figures that no one knows to the second: each with its range, where it comes from, of when."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

import numpy as np

Kind = Literal["documented", "public", "measured", "assumed", "learnt"]


@dataclass(frozen=True)
class Figure:
    """One quantity.

    Attributes
    ----------
    low, likely, high
        The least, the likely and the greatest value.
    kind
        By AWS's own documents, others' public figures or measurements of our own; assumed where
        there is none of these; learnt where runs of the account told.
    source
        Where it comes from.
    """

    low: float
    likely: float
    high: float
    kind: Kind
    source: str

    def draw(self, rng: np.random.Generator) -> float:
        """Return a value of the triangle over the range."""
        if self.low == self.high:
            return self.likely
        return float(rng.triangular(self.low, self.likely, self.high))


Figures = Mapping[str, Figure]


def offline_figures() -> dict[str, Figure]:
    """Return the table that comes with the package, by name."""
    return {
        name: Figure(low, likely, high, row["kind"], row["source"])
        for name, row in _table()["figures"].items()
        for low, likely, high in [row["range"]]
    }


def figures_date() -> str:
    """Return when the table was read, as year and month."""
    return str(_table()["read"])


def assumed(figures: Figures) -> list[str]:
    """Return the names of what is only assumed."""
    return [name for name, figure in figures.items() if figure.kind == "assumed"]


def _table() -> dict[str, Any]:
    text = (files("tomobatch.fleet") / "figures.json").read_text(encoding="utf-8")
    table: dict[str, Any] = json.loads(text)
    return table
