"""What a run has cost, as it was seen at one moment: the one amount that every command tells."""

from collections.abc import Sequence

from tomobatch.aws.pricing.cost import Cost, Use, cost_of
from tomobatch.aws.runs.observe import Look
from tomobatch.fleet.bill import Traffic
from tomobatch.fleet.figures import Figures, offline_figures
from tomobatch.fleet.prices import Prices


def tell_cost(
    look: Look, uses: Sequence[Use], prices: Prices, figures: Figures | None = None
) -> Cost:
    """Return what a run has cost.

    Parameters
    ----------
    look
        The run; as long as it goes on, nothing later has cost yet.
    uses
        The stretches of its work.
    prices, figures
        Of machines and what comes with them, and what is taken of what nobody sees.
    """
    figures = figures or offline_figures()
    return cost_of(
        uses,
        prices,
        until_ms=look.state.now_ms if look.state.phase.is_active else None,
        traffic=_traffic(look, uses, figures),
        figures=figures,
    )


def _traffic(look: Look, uses: Sequence[Use], figures: Figures) -> Traffic:
    """Return what the jobs that are done did with S3 and logs, by what was foretold of all jobs.

    Of a run that was not foretold, as plain Snakemake starts it: what any job does, without its
    data.
    """
    n_jobs = sum(step.total for step in look.state.steps)
    n_done = sum(step.done for step in look.state.steps)
    if not uses or not n_done:
        return Traffic()
    foretold = look.record.foretold if look.record is not None else None
    span_ms = max(use.stop_ms for use in uses) - min(use.start_ms for use in uses)
    logs_gb = n_done * figures["log_kb_a_job"].likely / 1e6
    if foretold is None:
        puts, gets = (figures[name].likely for name in ("puts_a_job", "gets_a_job"))
        return Traffic(n_done * puts, n_done * gets, logs_gb=logs_gb)
    share = n_done / n_jobs
    return Traffic(
        puts=foretold.puts * share,
        gets=foretold.gets * share,
        stored_gb_h=foretold.stored_gb * span_ms / 3_600_000,
        logs_gb=logs_gb,
    )
