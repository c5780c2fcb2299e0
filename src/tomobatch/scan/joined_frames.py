"""Stacks of pictures one after the other, read as one."""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tomobatch.errors import UserError
from tomobatch.scan.header import Frames


def joined(stacks: Sequence[Frames]) -> Frames:
    """Return stacks of one shape and type as one; a single one as it is."""
    return stacks[0] if len(stacks) == 1 else JoinedFrames(stacks)


class JoinedFrames:
    """Pictures of several stacks, in the order of the stacks."""

    def __init__(self, stacks: Sequence[Frames]) -> None:
        first = stacks[0]
        for stack in stacks[1:]:
            if stack.shape[1:] != first.shape[1:] or stack.dtype != first.dtype:
                raise UserError(
                    f"{stack.name} has {stack.shape[1]} x {stack.shape[2]} pixels of {stack.dtype},"
                    f" but {first.name} {first.shape[1]} x {first.shape[2]} of {first.dtype}: they"
                    " are no parts of one scan"
                )
        self._stacks = list(stacks)
        self._starts = np.cumsum([0, *(stack.shape[0] for stack in stacks)])
        self.name = f"{first.name} to {stacks[-1].name}"
        self.dtype: np.dtype[Any] = first.dtype
        self.shape: tuple[int, int, int] = (int(self._starts[-1]), *first.shape[1:])

    def read(self, start: int, stop: int, rows: slice = slice(None)) -> NDArray[Any]:
        """Read the given rows of pictures ``[start, stop)``."""
        pieces = []
        for stack, first in zip(self._stacks, self._starts[:-1], strict=True):
            here = slice(max(0, start - int(first)), min(stack.shape[0], stop - int(first)))
            if here.start < here.stop:
                pieces.append(stack.read(here.start, here.stop, rows))
        return np.concatenate(pieces) if pieces else self._stacks[0].read(0, 0, rows)

    def sources(self) -> list[Hashable]:
        """Say what each picture is."""
        return [source for stack in self._stacks for source in stack.sources()]
