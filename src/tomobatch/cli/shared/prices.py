"""The prices that commands count with: those of the time and place, as AWS states them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tomobatch.errors import UserError

if TYPE_CHECKING:
    from tomobatch.aws.pricing import Use
    from tomobatch.fleet.prices import Prices


def prices_for(uses: "Sequence[Use]", *, offline: bool = False) -> "tuple[Prices, str]":
    """Return the spot prices at the time of the uses; those of the dated table if AWS states none.

    Returns
    -------
    prices
        One or the other.
    complaint
        Why AWS states none, though it was asked; else empty.
    """
    from tomobatch.aws.pricing.live import live_prices
    from tomobatch.cli.shared.aws import client_maker
    from tomobatch.fleet.prices import offline_prices

    types = {use.instance_type for use in uses if use.market == "spot" and use.instance_type}
    if offline or not types:
        return offline_prices(), ""
    start_ms = min(use.start_ms for use in uses)
    stop_ms = max(use.stop_ms for use in uses)
    try:
        return live_prices(client_maker(None)("ec2"), types, start_ms, stop_ms), ""
    except UserError as error:
        return offline_prices(), str(error)
