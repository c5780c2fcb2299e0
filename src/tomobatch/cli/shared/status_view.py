"""How the state of a run looks in a terminal."""

from rich.console import Group, RenderableType
from rich.constrain import Constrain
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tomobatch.aws.runs.state import Phase, Pilots, RunState, Step

_WIDEST = 100
_COLOURS = {
    Phase.RUNNING: "cyan",
    Phase.STOPPING: "yellow",
    Phase.FINISHED: "green",
    Phase.STOPPED: "yellow",
    Phase.INCOMPLETE: "red",
    Phase.IDLE: "yellow",
}
_LEVELS = {"amber": "yellow", "red": "red", "warning": "yellow"}
_LAYOUTS = "lay_out_"
"""Rules that write a line of metadata: not worth one here, unless one of them fails."""


def show_run(state: RunState) -> RenderableType:
    """Return a bar by step, a line above and one below, and why it waits."""
    why = [Text(line, style="yellow") for line in state.waiting]
    return Constrain(Group(_headline(state), _table(state), _footer(state), *why), _WIDEST)


def show_duration(seconds: float) -> str:
    """Return a time as ``45 s``, ``12 min`` or ``3 h 20 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def show_money(usd: float) -> str:
    """Return an amount in dollars, with the digits that matter."""
    return f"${usd:.2f}" if usd >= 0.1 or usd == 0 else f"${usd:.4f}"


def _headline(state: RunState) -> Text:
    line = Text.assemble((state.run, "bold"), "  ", (state.phase.value, _COLOURS[state.phase]))
    if state.started_ms is not None and state.phase is Phase.RUNNING:
        line.append(f", {show_duration((state.now_ms - state.started_ms) / 1000)}")
    return line.append("\n")


def _table(state: RunState) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim", expand=True)
    table.add_column("step", no_wrap=True)
    table.add_column("", ratio=1, min_width=5)
    columns = ["queued", "starting", "running", "done", "failed", "reclaimed", "left"]
    if _shows_cancelled(state):
        columns.insert(5, "cancelled")
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    for step in state.steps:
        if step.rule.startswith(_LAYOUTS) and not step.failed:
            continue
        table.add_row(*_row(step, state))
    return table


def _row(step: Step, state: RunState) -> list[RenderableType]:
    bar = ProgressBar(total=max(1, step.total), completed=step.done)
    moving = state.phase is Phase.RUNNING and step.queued + step.starting + step.running > 0
    left_s = step.time_left_s(state.now_ms) if moving else None
    return [
        step.rule,
        bar,
        _count(step.queued),
        _count(step.starting),
        _count(step.running, "cyan"),
        Text(f"{step.done}/{step.total}", style="green" if step.is_over else ""),
        _count(step.failed, "red"),
        *([_count(step.cancelled, "yellow")] if _shows_cancelled(state) else []),
        _count(step.reclaimed, "yellow"),
        "" if left_s is None else show_duration(left_s),
    ]


def _shows_cancelled(state: RunState) -> bool:
    return any(step.cancelled for step in state.steps)


def _count(number: int, colour: str = "") -> Text:
    return Text(str(number) if number else "·", style=colour if number else "dim")


def _foretold(state: RunState) -> str:
    return "" if state.foretold is None else f" of about {show_money(state.foretold.usd[1])}"


def _show_pilots(pilots: Pilots) -> str:
    counts = {
        "queued": pilots.queued,
        "starting": pilots.starting,
        "running": pilots.running,
        "reclaimed": pilots.reclaimed,
    }
    told = [f"{count} {name}" for name, count in counts.items() if count]
    name = "pilot" if pilots.total == 1 else "pilots"
    return f"{pilots.total} {name} ({', '.join(told) or 'ended'})"


def _footer(state: RunState) -> Text:
    facts = [f"{state.machines} machine{'' if state.machines == 1 else 's'} in use"]
    if state.pilots is not None:
        facts.append(_show_pilots(state.pilots))
    if state.cost_usd is not None:
        facts.append(f"{show_money(state.cost_usd)} so far{_foretold(state)}")
    facts.append(f"controller: {state.controller}")
    lines = [", ".join(facts)]
    if state.unreadable:
        lines.append(f"{len(state.unreadable)} lists are not counted: {state.unreadable[0]}")
    text = Text("\n" + "\n".join(lines), style="dim")
    for line in (line for findings in state.findings.values() for line in findings.lines):
        level = line.partition(":")[0]
        text.append(f"\n{line}", style=_LEVELS.get(level, "yellow"))
    return text
