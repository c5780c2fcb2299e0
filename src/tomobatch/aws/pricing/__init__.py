"""What machines cost by the hour, and what a run has cost by them.

``prices`` holds the offline table, ``live`` asks AWS, ``uses`` tells how long each attempt of a run
had its machine, ``cost`` multiplies the two, ``show`` lays the result out.
"""

from tomobatch.aws.pricing.cost import Cost, CostLine, Use, cost_of
from tomobatch.aws.pricing.prices import Prices, SpotPrice, offline_prices

__all__ = ["Cost", "CostLine", "Prices", "SpotPrice", "Use", "cost_of", "offline_prices"]
