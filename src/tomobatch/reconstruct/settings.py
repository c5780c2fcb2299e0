"""What a user can choose about the reconstruction."""

from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from tomobatch.config.section import Section
from tomobatch.opencl.kind import DeviceKind

FbpName = Literal["auto", "direct", "fourier"]
IterativeName = Literal["sirt", "cgls", "tv"]
MethodName = Literal[FbpName, IterativeName]
FilterName = Literal["ramp", "shepp-logan", "cosine", "hamming", "hann"]
Padding = Literal["edge", "zero"]
Start = Literal["zero", "fbp"]

DEFAULT_ITERATIONS: dict[IterativeName, int] = {"sirt": 100, "cgls": 15, "tv": 200}
"""What ``auto`` means: details of SIRT come late, noise of CGLS early, edges of TV last."""


class ReconstructSettings(Section):
    """Step 4: filtered back-projection, or iterations."""

    method: MethodName = Field(
        "auto",
        description="filtered back-projection is direct or fourier, and auto the faster of them;"
        " sirt, cgls and tv iterate, for few angles",
    )
    filter: FilterName = Field("ramp", description="the window on the ramp filter")
    device: DeviceKind = Field("auto", description="the OpenCL device")
    padding: Padding = Field("edge", description="beyond the detector's edge")
    mask: bool = Field(True, description="set everything outside the field of view to zero")
    half_acquisition: Literal["auto"] | bool = Field(
        "auto",
        description="merge the halves of a full turn about an axis near the detector's edge; `auto`"
        " does where it is found there",
    )
    size_px: int | None = Field(
        None,
        ge=1,
        description="width of a slice; null: of the detector, or twice of it when merged",
    )
    roi_px: tuple[int, int, int, int] | None = Field(
        None, description="part of the slice to reconstruct: x, y, width, height"
    )
    binning: int = Field(1, ge=1, le=64, description="pixels averaged along each side")
    remove_rings: bool = Field(
        False,
        description="the last resort against rings, on finished slices: whatever is concentric with"
        " the axis goes with them",
    )

    iterations: Annotated[int, Field(ge=1, le=10000)] | Literal["auto"] = Field(
        "auto",
        description="of sirt, cgls or tv, the most if they stop by the residual; auto: "
        + ", ".join(f"{n} of {name}" for name, n in DEFAULT_ITERATIONS.items()),
    )
    residual: Annotated[float, Field(gt=0, lt=1)] | Literal["none", "noise"] = Field(
        "none",
        description="a slice stops iterating where this share of its projections is left, or what"
        " their noise leaves; none: only after all iterations",
    )
    non_negative: bool = Field(
        False, description="no pixel below zero, in sirt and tv; not for phase contrast"
    )
    start: Start = Field("zero", description="what iterations start from")
    tv_strength: float = Field(
        1.0, gt=0, description="of tv, in multiples of the noise that it finds in the projections"
    )

    @model_validator(mode="after")
    def _constraint_is_kept(self) -> Self:
        if self.method == "cgls" and self.non_negative:
            raise ValueError("cgls knows no constraint; leave non_negative out, or take sirt or tv")
        return self

    @property
    def iterates(self) -> bool:
        """Whether the method iterates."""
        return self.method in get_args(IterativeName)

    def n_iterations(self, method: str) -> int:
        """Return how many iterations a method makes at most: 1 if it makes none."""
        if method not in get_args(IterativeName):
            return 1
        asked = self.iterations
        return DEFAULT_ITERATIONS[method] if asked == "auto" else asked  # type: ignore[index]

    @property
    def merges(self) -> bool | None:
        """Whether the halves of a full turn are merged; None where the axis decides."""
        return None if self.half_acquisition == "auto" else self.half_acquisition
