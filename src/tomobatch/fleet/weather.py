"""One draw of all that is only known as a range: what AWS may be like on the day of a run."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tomobatch.fleet.figures import Figures
from tomobatch.fleet.prices import Prices
from tomobatch.fleet.stages import Stage

_PRICE_LEVEL = (-1.0, 0.0, 1.0)


@dataclass
class Weather:
    """What holds for one run.

    Attributes
    ----------
    values
        Every figure's value on that day.
    price_level
        From -1, every spot price at its least, over 0, likely, to 1, greatest.
    rng
        For what differs between the machines and jobs of the run.
    """

    values: Mapping[str, float]
    price_level: float
    rng: np.random.Generator

    @classmethod
    def draw(cls, figures: Figures, rng: np.random.Generator) -> "Weather":
        """Draw a day."""
        values = {name: figure.draw(rng) for name, figure in figures.items()}
        return cls(values, float(rng.triangular(*_PRICE_LEVEL)), rng)

    def __getitem__(self, name: str) -> float:
        return self.values[name]

    def near(self, *names: str) -> float:
        """Return the sum of some times as one machine has them, which scatters about the day's."""
        value = sum(self.values[name] for name in names)
        return value * float(self.rng.lognormal(0.0, self["machine_scatter"]))

    def seconds_of(self, stage: Stage, speed: float) -> np.ndarray:
        """Return the time of each job of a stage on machines so fast."""
        loads = stage.loads
        counts = [load.n_jobs for load in loads]
        compute_s = np.repeat([load.compute_s for load in loads], counts)
        moved_mb = np.repeat([load.read_mb + load.write_mb for load in loads], counts)
        likely = compute_s / speed + moved_mb / self["storage_mb_s"]
        seconds: np.ndarray = likely * self.rng.lognormal(0.0, self["job_scatter"], len(likely))
        return seconds

    def usd_h(self, prices: Prices, instance_type: str, market: str) -> float | None:
        """Return the price of a machine; None if it is not known."""
        if market != "spot":
            return prices.usd_h(instance_type, market, "", 0)
        span = prices.spot_range(instance_type)
        if span is None:
            return None
        low, likely, high = span
        level = self.price_level
        return likely + level * ((high - likely) if level > 0 else (likely - low))
