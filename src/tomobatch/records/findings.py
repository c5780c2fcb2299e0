"""What a run found out about a scan's result: how good, by which figure, and what to do.

The report writes them beside itself; closing lines and programs read them there.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pydantic import TypeAdapter

Level = Literal["green", "amber", "red", "unknown"]
_ORDER: tuple[Level, ...] = ("unknown", "green", "amber", "red")


@dataclass(frozen=True)
class Finding:
    """One verdict.

    Attributes
    ----------
    subject
        What is judged, such as ``rings``.
    level
        Green is good, amber asks for a look, red says that something is wrong; unknown where the
        scan does not tell.
    figure
        What was measured, with its unit, in words.
    threshold
        From where on it is amber and red, in words.
    why
        What the figure means.
    advice
        What to do where it is not green.
    """

    subject: str
    level: Level
    figure: str
    threshold: str
    why: str
    advice: str

    @property
    def line(self) -> str:
        """The finding as one line of text."""
        return f"{self.subject}: {self.figure} ({self.threshold}); {self.advice}"


@dataclass(frozen=True)
class Findings:
    """Everything that is known of a scan's result: verdicts, and what steps remarked."""

    scan: str
    verdicts: tuple[Finding, ...]
    warnings: tuple[str, ...]

    @property
    def level(self) -> Level:
        """The worst of the verdicts; amber at least where there are warnings."""
        remarked: list[Level] = ["amber"] if self.warnings else []
        return worst([*(one.level for one in self.verdicts), *remarked])

    @property
    def doubts(self) -> tuple[Finding, ...]:
        """The verdicts that ask for a look."""
        return tuple(one for one in self.verdicts if one.level in ("amber", "red"))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, with the level of all."""
        return {"level": self.level, **asdict(self)}

    def to_json(self) -> str:
        """Return the findings as JSON text."""
        return TypeAdapter(Findings).dump_json(self, indent=1).decode()

    @property
    def lines(self) -> list[str]:
        """What should be looked at, a line each: verdicts that are not green, and warnings."""
        told = [f"{one.level}: {self.scan}: {one.line}" for one in self.doubts]
        return [*told, *(f"warning: {self.scan}: {line}" for line in self.warnings)]

    @classmethod
    def from_json(cls, text: str) -> "Findings":
        """Return the findings that ``to_json`` wrote."""
        return TypeAdapter(cls).validate_json(text)


def worst(levels: Sequence[Level]) -> Level:
    """Return the worst of some levels; unknown where there are none."""
    return max(levels, key=_ORDER.index, default="unknown")
