"""Puts together what an executor speaks to AWS with."""

from collections.abc import Callable
from functools import partial

from snakemake_executor_plugin_aws_batch_array.aws import make_client
from snakemake_executor_plugin_aws_batch_array.batch import BatchClient
from snakemake_executor_plugin_aws_batch_array.deployment import Deployment
from snakemake_executor_plugin_aws_batch_array.dispatch import Dispatcher
from snakemake_executor_plugin_aws_batch_array.fargate import fit_pilots
from snakemake_executor_plugin_aws_batch_array.logs import log_tail
from snakemake_executor_plugin_aws_batch_array.pilot_dispatch import PilotDispatch
from snakemake_executor_plugin_aws_batch_array.pilots.channel import StoreChannel
from snakemake_executor_plugin_aws_batch_array.pilots.control import Kind
from snakemake_executor_plugin_aws_batch_array.pilots.fleet import Fleet
from snakemake_executor_plugin_aws_batch_array.pilots.sizes import Ahead
from snakemake_executor_plugin_aws_batch_array.pilots.watch import PilotWatcher
from snakemake_executor_plugin_aws_batch_array.settings import ExecutorSettings
from snakemake_executor_plugin_aws_batch_array.store import RunStore
from snakemake_executor_plugin_aws_batch_array.watch import Watcher


def make_dispatcher(
    settings: ExecutorSettings,
    store: RunStore,
    deployment: Deployment,
    ahead: Callable[[], list[Ahead]],
    warn: Callable[[str], object],
) -> Dispatcher:
    """Return a dispatcher.

    Parameters
    ----------
    settings
        Region, number of pilots, patience with jobs that wait.
    store
        Lists and outcomes of the run.
    deployment
        Queues, and a log group that overrides what job definitions name.
    ahead
        Returns what jobs need that are not ready yet.
    warn
        Told what the user should know.
    """
    batch, log_group = BatchClient(settings.region), deployment.log_group
    logs = partial(log_tail, make_client("logs", settings.region))
    fleet = Fleet(StoreChannel(store), store, batch, warn)
    piloted = PilotWatcher(batch, store, fleet, logs, log_group)
    watcher = Watcher(batch, store, logs, log_group, settings.stuck_after, warn, piloted)

    def sized(kind: Kind) -> Kind:
        return fit_pilots(kind) if deployment.is_fargate(kind.queue) else kind

    n_pilots = (settings.pilots or 0) if deployment.may_pilot else 0
    if n_pilots != (settings.pilots or 0):
        warn(
            "The stacks do not give jobs the right to claim commands, which pilots need: every "
            "step gets an array of its own. Deploy the present stacks."
        )
    pilots = PilotDispatch(n_pilots, fleet, batch, store, ahead, warn, sized, settings.by_work)
    return Dispatcher(batch, store, watcher, pilots)
