"""A workflow of a shape that others write."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Shape:
    """A workflow, further files beside it, and what must come out."""

    snakefile: str
    makes: dict[str, str]
    files: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    gone: tuple[str, ...] = ()
