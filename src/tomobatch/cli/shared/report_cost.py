"""What a run has cost, added to its report once that lies on this machine.

The job that makes the report runs before the last costs are known, and knows nothing of prices.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tomobatch.aws.runs.observe import Observer

_BEFORE = "<footer>"


def add_cost(observer: "Observer", report: Path) -> None:
    """Add the cost of a run to a report just fetched; nothing where no records are left."""
    from tomobatch.aws.pricing import cost_of, offline_prices
    from tomobatch.aws.pricing.records import read_uses
    from tomobatch.aws.pricing.show import cost_section
    from tomobatch.stores.files import write_bytes

    uses = read_uses(observer.place.store(observer.run), time.time_ns() // 1_000_000)
    if not uses:
        return
    section = f"<section>{cost_section(cost_of(uses, offline_prices()))}</section>\n{_BEFORE}"
    page = report.read_text(encoding="utf-8")
    write_bytes(report, page.replace(_BEFORE, section, 1).encode())
