"""All that Snakemake says, as it says it without a logger plugin."""

import logging
from typing import TextIO

from snakemake.logging import ColorizingTextHandler, DefaultFilter, DefaultFormatter
from snakemake_interface_logger_plugins.settings import OutputSettingsLoggerInterface


def make_wall(settings: OutputSettingsLoggerInterface, stream: TextIO) -> logging.Handler:
    """Return the handler that Snakemake itself would use."""
    handler: logging.Handler = ColorizingTextHandler(
        nocolor=settings.nocolor,
        stream=stream,
        formatter=DefaultFormatter(settings.quiet, settings.show_failed_logs),
        filter=DefaultFilter(
            settings.quiet,
            settings.debug_dag,
            settings.verbose,
            settings.dryrun,
            settings.printshellcmds,
        ),
    )
    return handler
