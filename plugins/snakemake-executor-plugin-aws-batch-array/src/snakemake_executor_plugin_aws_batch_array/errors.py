"""The one exception that tells a user what to change."""

from __future__ import annotations

from snakemake_interface_common.exceptions import WorkflowError


class UserError(WorkflowError):
    """A mistake in settings or resources: what is wrong, where, and what to do."""
