"""What a run has cost, added to its report once that lies on this machine.

The job that makes the report runs before the last costs are known, and knows nothing of prices.
"""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tomobatch.aws.runs.observe import Observer

_BEFORE = "<footer>"


def add_cost(observer: "Observer", report: Path) -> None:
    """Add the cost of a run to a report just fetched; nothing where no records are left."""
    from tomobatch.aws.pricing.show import cost_section
    from tomobatch.aws.pricing.tell import tell_cost
    from tomobatch.aws.pricing.uses import read_uses
    from tomobatch.cli.shared.prices import prices_for
    from tomobatch.stores.files import write_bytes

    look = observer.look()
    uses = read_uses(look, observer.reader)
    if not uses:
        return
    prices, _ = prices_for(uses)
    section = f"<section>{cost_section(tell_cost(look, uses, prices))}</section>\n{_BEFORE}"
    page = report.read_text(encoding="utf-8")
    write_bytes(report, page.replace(_BEFORE, section, 1).encode())


def costs_by_scan(observer: "Observer") -> dict[str, float]:
    """Share the cost of a run among its scans, by the time of their jobs; empty without records.

    Machines that stood idle, and attempts that came to nothing, are borne in the same proportion.
    """
    from tomobatch.aws.pricing.tell import tell_cost
    from tomobatch.aws.pricing.uses import read_uses
    from tomobatch.aws.runs.targets import parse_target
    from tomobatch.cli.shared.prices import prices_for

    look = observer.look()
    uses = read_uses(look, observer.reader)
    spent: Counter[str] = Counter()
    for each in look.submitted:
        commands = each.commands
        scans = [parse_target(command.target).scan for command in commands.commands]
        for child in observer.reader.outcomes(commands.name, each.attempts).values():
            for number, outcome in child.by_command.items():
                took_ms = outcome.stopped_ms - outcome.started_ms
                spent[scans[number]] += commands.vcpus * took_ms
    if not uses or not spent.total():
        return {}
    prices, _ = prices_for(uses)
    usd = tell_cost(look, uses, prices).usd
    return {scan: usd * share / spent.total() for scan, share in spent.items()}
