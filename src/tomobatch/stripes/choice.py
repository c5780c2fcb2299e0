"""Which method to take against the stripes of a scan: what does best on its own (decision 36).

Rows spread over the height are looked at, whatever the chunks. Where the ring figure sees nothing,
nothing is done. Elsewhere every method works on sinograms of the scan in which its own stripes are
planted at known places (see ``planting``), and the one whose slices are nearest to those without
is taken: what it leaves and the harm it does are both in that error. Of those as near, it is the
one that leaves the least rings.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from pydantic import TypeAdapter

from tomobatch.arrays import BoolArray, Float32Array, Float64Array
from tomobatch.cores import threads_on_cores
from tomobatch.stripes.bridging import bridge, find_odd_columns
from tomobatch.stripes.planting import part
from tomobatch.stripes.removal import METHODS, remove_stripes
from tomobatch.stripes.rings import ring_figure
from tomobatch.stripes.settings import Removal, StripeSettings

Reconstruct = Callable[[Float32Array], Float32Array]
"""What makes slices (n, y, x) of sinograms (n, angle, x) of one row."""

# Without stripes, nine phantoms had figures up to 0.021; with weak or partial ones, from 0.022.
NO_RINGS = 0.025
# The least width at which there are radii to correlate.
NARROWEST_PX = 48
# Where the stripes are planted again, as shares of the width.
_SHIFTS = (0.11, -0.17)
_LOOKED_AT = 0.92
# Errors on planted stripes that differ by less rank methods no better than chance.
_ALIKE = 0.05
# An error on planted stripes that is nothing to see, and the share of the best method's error by
# which doing nothing is better by far.
_HARMLESS, _BY_FAR = 0.01, 0.5


@dataclass(frozen=True)
class StripeChoice:
    """What is done against the stripes of a scan, and what it is good for.

    Attributes
    ----------
    method
        What ``process`` does with every row.
    asked
        What the configuration asks for.
    bridges_odd_columns
        Whether dead and blocked columns are bridged before.
    n_odd_columns
        The most such columns in one of the rows looked at.
    figure_before, figure_after
        Ring figure, the median of the rows; None where the slices are too narrow for one.
    errors
        By method, the rms error on planted stripes as a share of the rms of the slice; empty where
        there was nothing to choose.
    rows
        Which rows were looked at.
    """

    method: Removal
    asked: str
    bridges_odd_columns: bool = False
    n_odd_columns: int = 0
    figure_before: float | None = None
    figure_after: float | None = None
    errors: dict[Removal, float] = field(default_factory=dict)
    rows: tuple[int, ...] = ()

    @property
    def finds_no_stripes(self) -> bool:
        """Whether nothing was chosen as there is next to nothing to take off.

        The stripes that could be parted from the sample do no harm where they are planted again, or
        less by far than any method would: rings that a figure sees then may be the sample's own.
        """
        if self.asked != "auto" or self.method != "none" or "none" not in self.errors:
            return False
        others = [error for method, error in self.errors.items() if method != "none"]
        return self.errors["none"] <= max(_HARMLESS, _BY_FAR * min(others, default=0.0))

    def to_json(self) -> str:
        """Return the choice as JSON text."""
        return TypeAdapter(StripeChoice).dump_json(self, indent=2).decode()

    @classmethod
    def from_json(cls, text: str) -> "StripeChoice":
        """Return the choice that ``to_json`` wrote."""
        return TypeAdapter(cls).validate_json(text)


def choose_removal(
    rows: Iterable[tuple[int, Float32Array, float]],
    settings: StripeSettings,
    reconstruct: Callable[[float], Reconstruct],
) -> StripeChoice:
    """Choose how to remove the stripes of a scan, and measure what it does to its rings.

    Parameters
    ----------
    rows
        Number, sinogram float32 (angle, x) in the order of the angles, and centre of rotation of
        each row to look at.
    settings
        The method asked for; ``auto`` leaves it open.
    reconstruct
        Given a centre of rotation, what reconstructs sinograms of that row.
    """
    is_open = settings.method == "auto"
    looks = [
        _Look.at(number, sinogram, cor_px, reconstruct(cor_px), bridges=is_open)
        for number, sinogram, cor_px in rows
        if np.ptp(sinogram) > 0 and sinogram.shape[1] >= NARROWEST_PX
    ]
    if not looks:
        fixed: Removal = "none" if settings.method == "auto" else settings.method
        return StripeChoice(fixed, settings.method)
    measured, bridged = np.transpose([look.untouched() for look in looks])
    errors: dict[Removal, float] = {}
    methods: list[Removal] = ["none" if settings.method == "auto" else settings.method]
    if settings.method == "auto" and np.median(bridged) >= NO_RINGS:
        found = np.mean([look.errors(settings) for look in looks], axis=0)
        errors = dict(zip(METHODS, found.tolist(), strict=True))
        methods = [name for name in METHODS if errors[name] <= (1 + _ALIKE) * min(found)]
    figures = dict.fromkeys(methods, float(np.median(bridged)))
    if methods != ["none"]:
        by_method = np.median([look.figures(settings, methods) for look in looks], axis=0)
        figures = dict(zip(methods, by_method.tolist(), strict=True))
    # The least invasive of equals: they come in this order.
    method = min(methods, key=lambda name: round(max(figures[name], NO_RINGS), 3))
    return StripeChoice(
        method,
        settings.method,
        bridges_odd_columns=is_open,
        n_odd_columns=max(look.n_odd_columns for look in looks),
        figure_before=float(np.median(measured)),
        figure_after=figures[method],
        errors=errors,
        rows=tuple(look.row for look in looks),
    )


@dataclass(frozen=True)
class _Look:
    """One row: its sinogram (angle, x), and how it is reconstructed.

    ``odd`` are the columns to be bridged, bool (x,); None where there are none.
    """

    row: int
    sinogram: Float32Array
    cor_px: float
    reconstruct: Reconstruct
    n_odd_columns: int
    odd: BoolArray | None

    @classmethod
    def at(
        cls,
        row: int,
        sinogram: Float32Array,
        cor_px: float,
        reconstruct: Reconstruct,
        *,
        bridges: bool,
    ) -> "_Look":
        odd = find_odd_columns(np.ascontiguousarray(sinogram.T))
        n_odd = int(np.count_nonzero(odd))
        return cls(row, sinogram, cor_px, reconstruct, n_odd, odd if bridges and n_odd else None)

    def columns(self) -> Float32Array:
        """Return the sinogram float32 (x, angle), its odd columns bridged."""
        columns = np.ascontiguousarray(self.sinogram.T)
        return columns if self.odd is None else bridge(columns, self.odd)

    def untouched(self) -> tuple[float, float]:
        """Return the ring figure of the row as it was measured, and with odd columns bridged."""
        measured = np.array(self.sinogram)
        if self.odd is None:
            (figure,) = self._figures(measured[None])
            return figure, figure
        measured_figure, figure = self._figures(np.stack([measured, self.columns().T]))
        return measured_figure, figure

    def figures(self, settings: StripeSettings, methods: Sequence[Removal]) -> list[float]:
        """Return the ring figure after each method."""
        return self._figures(_by_methods(self.columns(), methods, settings))

    def _figures(self, sinograms: Float32Array) -> list[float]:
        slices = self.reconstruct(sinograms)
        with threads_on_cores() as threads:
            return list(threads.map(ring_figure, slices))

    def errors(self, settings: StripeSettings) -> Float64Array:
        """Return each method's rms error on the row's own stripes planted elsewhere, over the rms.

        float64 (method,), in the order of ``METHODS``.
        """
        columns = self.columns()
        parted = part(columns, self.cor_px)
        clean = self.reconstruct(np.ascontiguousarray(parted.clean.T)[None])[0]
        y, x = np.ogrid[: clean.shape[0], : clean.shape[1]]
        middle = (len(clean) - 1) / 2
        inside = np.hypot(y - middle, x - middle) < _LOOKED_AT * middle
        scale = float(np.sqrt(np.mean(clean[inside] ** 2))) or 1.0
        total = np.zeros(len(METHODS))
        for share in _SHIFTS:
            planted = parted.planted(round(share * len(columns)))
            slices = self.reconstruct(_by_methods(planted, METHODS, settings))
            total += [np.sqrt(np.mean((one - clean)[inside] ** 2)) for one in slices]
        return total / len(_SHIFTS) / scale


def _by_methods(
    columns: Float32Array, methods: Sequence[Removal], settings: StripeSettings
) -> Float32Array:
    """Return the sinogram (x, angle) without its stripes by each method, (method, angle, x)."""
    sinogram = np.ascontiguousarray(columns.T)[None]

    def remove(method: Removal) -> Float32Array:
        return remove_stripes(sinogram, settings.model_copy(update={"method": method}))

    with threads_on_cores() as threads:
        return np.concatenate(list(threads.map(remove, methods)))
