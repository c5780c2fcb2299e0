"""The one exception that tells a user what to change."""

from snakemake_interface_common.exceptions import WorkflowError


class UserError(WorkflowError):
    """A mistake in settings or resources: what is wrong, where, and what to do."""
