"""What a user sets of the stacks, held against what can be, first of all (decision 86)."""

import difflib
import re
from collections.abc import Iterable, Mapping

from tomobatch.aws.account.stacks import own_parameters
from tomobatch.errors import UserError

PREFIX = re.compile(r"(?!aws|ssm|sthree)[a-z][a-z0-9]*(-[a-z0-9]+)*")
"""As the templates have it: what buckets, repositories, parameters and policies take as a name."""

FIXED = ("ExistingVpc", "ExistingSubnets", "FairShare", "Zones")
"""Settings that AWS lets nobody change later: stacks import what they decide, or Batch keeps it."""


def check_prefix(prefix: str) -> None:
    """Refuse a prefix that some service would refuse, when others have already made things of it.

    Raises
    ------
    UserError
        Saying what a prefix is.
    """
    if not (2 <= len(prefix) <= 20 and PREFIX.fullmatch(prefix)):
        raise UserError(
            f"--prefix {prefix}: give 2 to 20 lower-case letters, digits and single hyphens, a "
            "letter first, no hyphen last, and none that AWS keeps for itself (aws, ssm, sthree)"
        )


def check_settings(settings: Mapping[str, str], known: Iterable[str], prefix: str) -> None:
    """Refuse a setting that no template declares.

    Raises
    ------
    UserError
        Naming the setting and the closest one there is.
    """
    choices = set(known) - set(own_parameters(prefix))
    for name in settings:
        if name not in choices:
            close = difflib.get_close_matches(name, choices, n=1, cutoff=0.0)
            raise UserError(
                f"No template has the parameter {name}; did you mean {close[0]}? "
                "All of them are described at the top of cloudformation/*.yaml."
            )


def check_changes(settings: Mapping[str, str], present: Mapping[str, str]) -> None:
    """Refuse to change what can't be changed any more, and what does not go together.

    Parameters
    ----------
    settings
        What the user sets.
    present
        What the stacks have, all of them together; empty where there are none.

    Raises
    ------
    UserError
        Saying what to do instead.
    """
    for name in FIXED:
        if name in settings and settings[name] != present.get(name, settings[name]):
            raise UserError(
                f"--set {name}={settings[name]}: it is {present[name] or 'empty'}, and AWS lets "
                "nobody change it while the queues are there: tomobatch teardown --keep-data, then "
                "tomobatch setup with it, then tomobatch push; scans and results stay"
            )
    values = {**present, **settings}
    if values.get("GpuImage") == "pulled" and values.get("SubnetKind") == "private":
        raise UserError(
            "GpuImage=pulled and SubnetKind=private exclude each other: the machine that builds "
            "the image must reach Systems Manager and Image Builder; set GpuImage=stock, or "
            "SubnetKind=public"
        )
    if bool(values.get("ExistingVpc")) != bool(values.get("ExistingSubnets")):
        raise UserError("ExistingVpc and ExistingSubnets are given together, or neither is")
