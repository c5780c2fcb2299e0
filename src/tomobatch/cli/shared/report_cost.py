"""What a run has cost, added to its report once that lies on this machine.

The job that makes the report runs before the last costs are known, and knows nothing of prices.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tomobatch.aws.runs.observe import Observer

_BEFORE = "<footer>"


def add_cost(observer: "Observer", report: Path) -> None:
    """Add the cost of a run to a report just fetched; nothing where no records are left."""
    from tomobatch.aws.pricing import cost_of
    from tomobatch.aws.pricing.show import cost_section
    from tomobatch.aws.pricing.uses import read_uses
    from tomobatch.cli.shared.prices import prices_for
    from tomobatch.stores.files import write_bytes

    uses = read_uses(observer.look(), observer.reader)
    if not uses:
        return
    prices, _ = prices_for(uses)
    section = f"<section>{cost_section(cost_of(uses, prices))}</section>\n{_BEFORE}"
    page = report.read_text(encoding="utf-8")
    write_bytes(report, page.replace(_BEFORE, section, 1).encode())
