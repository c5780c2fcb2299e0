"""How many children of an array are in which state: as it is, and as it is told a while later."""

from collections import deque
from dataclasses import dataclass, field

from aws_batch_emulator.states import Status


@dataclass(slots=True)
class Summary:
    """The counts of one array; what is told of them comes late (decision 73).

    Attributes
    ----------
    counts
        Children by state, as it is.
    told
        The same, as DescribeJobs last told it.
    told_ms
        When the told counts came to be.
    """

    counts: dict[Status, int]
    told: dict[Status, int]
    told_ms: int
    _untold: deque[tuple[int, Status, Status]] = field(default_factory=deque)

    @classmethod
    def of_new(cls, size: int, now_ms: int) -> "Summary":
        """Return the summary of an array that has just been submitted."""
        counts = dict.fromkeys(Status, 0) | {Status.SUBMITTED: size}
        return cls(counts, dict(counts), now_ms)

    def move(self, previous: Status, status: Status, now_ms: int) -> None:
        """Count a child that went from one state to another."""
        self.counts[previous] -= 1
        self.counts[status] += 1
        self._untold.append((now_ms, previous, status))

    def tell(self, then_ms: int) -> None:
        """Bring what is told up to a time; what was told already stays told."""
        while self._untold and self._untold[0][0] <= then_ms:
            self.told_ms, previous, status = self._untold.popleft()
            self.told[previous] -= 1
            self.told[status] += 1
