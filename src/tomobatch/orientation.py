"""How a volume shows the sample: as it is, or as a mirror would.

Projections are looked at along the beam, from the source, with the first row of the detector on
top. A slice that is made by ``x cos(angle) + y sin(angle)``, x counting along its columns and y
along its rows, then lies as it is seen from above if the sample turns counter-clockwise as seen
from there, and is a mirror image if it turns clockwise, which the projections of a parallel beam
cannot tell. A cone's can, and its frame (``tomobatch.beam``) is that of a clockwise turn.

Decision 17.
"""

from dataclasses import dataclass
from typing import Any, Literal

Rotation = Literal["clockwise", "counter-clockwise"]
"""How the sample turns, seen from the side of the detector's first row: from above."""
RotationSource = Literal["config", "file", "assumed"]
OrientationName = Literal["sample", "algotom", "astra", "nabu", "scikit-image"]
"""As the sample is, or as a peer shows one that turns the assumed way: all of them mirror it."""

_WHO_SAYS = {
    "config": "as the configuration says",
    "file": "as its file says",
    "assumed": "which is assumed; datasets.rotation says otherwise",
}


@dataclass(frozen=True)
class Orientation:
    """What a volume shows.

    Attributes
    ----------
    name
        What was asked for.
    rotation, rotation_source
        How the sample turned, and who says so.
    is_cone
        Whether the slices are those of a cone's frame.
    is_mirrored
        Whether the projections are as seen from behind the detector, which mirrors that frame; a
        parallel beam shows the same from behind.
    """

    name: OrientationName = "sample"
    rotation: Rotation = "counter-clockwise"
    rotation_source: RotationSource = "assumed"
    is_cone: bool = False
    is_mirrored: bool = False

    @property
    def flips_rows(self) -> bool:
        """Whether the rows of slices are written from the last to the first."""
        if self.is_cone:
            return not self.is_mirrored
        return self.name != "sample" or self.rotation == "clockwise"

    @property
    def is_mirror_image(self) -> bool:
        """Whether the volume shows the sample as a mirror would."""
        return self.name != "sample" and self.rotation == "counter-clockwise"

    @property
    def words(self) -> str:
        """One line for people."""
        shown = "the sample's mirror image" if self.is_mirror_image else "the sample as it is"
        like = "" if self.name == "sample" else f", its rows as {self.name} has them"
        return f"{shown}{like}; {turns(self.rotation, self.rotation_source)}"

    def to_dict(self) -> dict[str, Any]:
        """Return what programs need to know: with z down, y down and x to the right of a slice."""
        return {
            "orientation": self.name,
            "handedness": "mirrored" if self.is_mirror_image else "true",
            "rotation": self.rotation,
            "rotation_source": self.rotation_source,
            "words": self.words,
        }


AS_IT_IS = Orientation()
"""A sample that turned the assumed way, as it is."""


def turns(rotation: Rotation, source: RotationSource) -> str:
    """Say how the sample turned, and who says so."""
    return f"it turns {rotation} seen from the first row's side, {_WHO_SAYS[source]}"
