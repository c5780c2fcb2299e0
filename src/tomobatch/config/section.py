"""What every section of the configuration is: closed, frozen, checked.

A section stands beside the step that reads it, as the ``settings.py`` of that step: its keys,
defaults, choices and words are written there and nowhere else.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A part of the configuration that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError("must be odd, so that the window has a middle")
    return value


Auto = Literal["auto"]
OddPx = Annotated[int, Field(ge=3), AfterValidator(_odd)]
