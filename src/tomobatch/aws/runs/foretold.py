"""What was foretold of a run before it began, kept in its record to be held against what came."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Span = tuple[float, float, float]
"""What nine of ten draws reach, the middle one, and what nine of ten stay below."""


@dataclass(frozen=True)
class ForetoldStep:
    """A job of one step, on average: what it computes on the measured machine, and moves."""

    compute_s: float
    moved_mb: float


@dataclass(frozen=True)
class Foretold:
    """An estimate, as far as it is needed later.

    Attributes
    ----------
    usd, elapsed_s
        Of the whole run.
    puts, gets
        Requests to S3.
    stored_gb
        On S3 while it runs.
    steps
        By rule.
    """

    usd: Span
    elapsed_s: Span
    puts: float
    gets: float
    stored_gb: float
    steps: Mapping[str, ForetoldStep]

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "Foretold":
        """Read what ``asdict`` made, by way of JSON."""
        steps = {rule: ForetoldStep(**step) for rule, step in document["steps"].items()}
        spans = {name: tuple(document[name]) for name in ("usd", "elapsed_s")}
        return cls(**{**document, **spans, "steps": steps})
