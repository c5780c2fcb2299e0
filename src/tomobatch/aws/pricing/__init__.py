"""What machines cost by the hour, and what a run has cost by them.

``live`` asks AWS for prices, ``uses`` tells how long each attempt of a run had its machine,
``cost`` multiplies the two, ``tell`` does so for a run as it is seen, ``show`` lays the result out.
"""

from tomobatch.aws.pricing.cost import Cost, CostLine, Use, cost_of

__all__ = ["Cost", "CostLine", "Use", "cost_of"]
