"""The steps of the workflow, in the order of the data: what estimates, counts and records know.

The rules themselves stand in ``rules/``; a test reads them and holds this table against them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Queue = Literal["cpu", "gpu"]


@dataclass(frozen=True)
class Step:
    """One rule of the workflow.

    Attributes
    ----------
    rule
        Its name.
    chunks
        What a job of it takes: the whole scan, or a chunk of projections, of detector rows or of
        slices. In a parallel beam the last two are one: a slice is what its row saw.
    recorded
        Whether its jobs write a record of what they did.
    on_device
        Whether its jobs compute on the device that the configuration or the plan says, and so run
        on the queue of that; all others run on the CPU queue.
    waited_for
        Whether the run stands until it is done; if not, longer steps go on beside it.
    """

    rule: str
    chunks: Literal["one", "projections", "rows", "slices"] = "one"
    recorded: bool = True
    on_device: bool = False
    waited_for: bool = True

    def n_jobs(self, n_projection_chunks: int, n_row_chunks: int, n_slice_chunks: int) -> int:
        """Return the jobs of a scan that is cut into so many chunks."""
        return {
            "one": 1,
            "projections": n_projection_chunks,
            "rows": n_row_chunks,
            "slices": n_slice_chunks,
        }[self.chunks]


STEPS = (
    Step("average_references"),
    Step("lay_out_projections", recorded=False, waited_for=False),
    Step("preprocess", "projections"),
    Step("lay_out_sinograms", recorded=False, waited_for=False),
    Step("choose_stripes"),
    Step("process", "rows"),
    Step("calibrate"),
    Step("lay_out_volume", recorded=False),
    Step("reconstruct", "slices", on_device=True),
    Step("report", recorded=False),
)

_ALIGNMENT = Step("align")

_REMOVAL = Step("remove_intermediates", waited_for=False)

RECORDED = tuple(step.rule for step in (*STEPS, _ALIGNMENT, _REMOVAL) if step.recorded)


def steps_with(
    exports: Iterable[str],
    *,
    checked: bool = False,
    aligned: bool = False,
    keep_intermediates: bool,
) -> tuple[Step, ...]:
    """Return the steps of a scan whose volume is exported to such kinds, or checked, as well.

    ``aligned`` tells whether projections are moved onto each other.
    """
    before = next(i for i, step in enumerate(STEPS) if step.rule == "process")
    alignment = (_ALIGNMENT,) if aligned else ()
    check = [Step("check", recorded=False)] if checked else []
    removal = () if keep_intermediates else (_REMOVAL,)
    copies = (Step(f"export_{kind}", recorded=False) for kind in exports)
    return (*STEPS[:before], *alignment, *STEPS[before:], *check, *removal, *copies)
