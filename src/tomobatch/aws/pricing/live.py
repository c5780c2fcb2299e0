"""Spot prices as AWS states them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tomobatch.errors import UserError
from tomobatch.fleet.prices import Prices, SpotPrice, offline_prices

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client


def live_prices(
    client: "EC2Client", instance_types: Iterable[str], start_ms: int, stop_ms: int
) -> Prices:
    """Ask for the spot prices of a time, in all zones of the client's Region.

    AWS keeps them for 90 days. On-demand prices stay those of the offline table, which change
    rarely; they serve machines that were not to be had as spot.

    Raises
    ------
    UserError
        If AWS refuses, or knows no price of any of the types.
    """
    from tomobatch.aws.account.mistakes import aws_mistakes

    pages = client.get_paginator("describe_spot_price_history").paginate(
        InstanceTypes=sorted(set(instance_types)),  # type: ignore[arg-type]
        ProductDescriptions=["Linux/UNIX"],
        StartTime=datetime.fromtimestamp(start_ms / 1000, UTC),
        EndTime=datetime.fromtimestamp(stop_ms / 1000, UTC),
    )
    with aws_mistakes():
        spot = tuple(
            SpotPrice(
                item["InstanceType"],
                item["AvailabilityZone"],
                round(item["Timestamp"].timestamp() * 1000),
                float(item["SpotPrice"]),
            )
            for page in pages
            for item in page["SpotPriceHistory"]
        )
    region = client.meta.region_name
    if not spot:
        raise UserError(f"AWS states no spot prices of these machines in {region}.")
    until = datetime.fromtimestamp(stop_ms / 1000, UTC)
    source = f"spot prices of {region} until {until:%Y-%m-%d %H:%M} UTC, from AWS"
    return replace(offline_prices(), source=source, spot=spot)
