"""What a look at an account finds."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "failed", "unknown"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes
    ----------
    subject
        What it is about, in a word or two.
    state
        ``failed`` keeps jobs from running, a ``warning`` may; ``unknown`` could not be asked.
    text
        What was found.
    fix
        What to do about it, one line; empty if nothing is.
    """

    subject: str
    state: State
    text: str
    fix: str = ""

    def __str__(self) -> str:
        line = f"{self.state:<8} {self.subject}: {self.text}"
        return f"{line}\n         -> {self.fix}" if self.fix else line
