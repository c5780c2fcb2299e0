"""Which method to take against the stripes of a scan: what does best on its own (decision 36).

Rows spread over the height are looked at, whatever the chunks. Where the ring figure sees nothing,
nothing is done. Elsewhere every method works on sinograms of the scan in which its own stripes are
planted at known places (see ``planting``), and the one whose slices are nearest to those without
is taken: what it leaves and the harm it does are both in that error.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from pydantic import TypeAdapter

from tomobatch.arrays import Float32Array
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
        By method, the rms error on planted stripes as a share of the rms of the slice.
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
        _look(number, sinogram, cor_px, settings, reconstruct(cor_px))
        for number, sinogram, cor_px in rows
        if np.ptp(sinogram) > 0 and sinogram.shape[1] >= NARROWEST_PX
    ]
    if not looks:
        fixed: Removal = "none" if settings.method == "auto" else settings.method
        return StripeChoice(fixed, settings.method)
    before = float(np.median([look.figures["none"] for look in looks]))
    errors = {
        name: float(np.mean([look.errors[name] for look in looks])) for name in looks[0].errors
    }
    method: Removal = "none"
    if settings.method != "auto":
        method = settings.method
    elif before >= NO_RINGS:
        # The least invasive of equals: they come in this order.
        method = min(METHODS, key=lambda name: errors[name])
    return StripeChoice(
        method,
        settings.method,
        bridges_odd_columns=is_open,
        n_odd_columns=max(look.n_odd_columns for look in looks),
        figure_before=float(np.median([look.figure_before for look in looks])),
        figure_after=float(np.median([look.figures[method] for look in looks])),
        errors=errors,
        rows=tuple(look.row for look in looks),
    )


@dataclass(frozen=True)
class _Look:
    """One row: the ring figure of its slice, and the error on planted stripes, by method."""

    row: int
    n_odd_columns: int
    figure_before: float
    figures: dict[Removal, float]
    errors: dict[Removal, float]


def _look(
    number: int,
    sinogram: Float32Array,
    cor_px: float,
    settings: StripeSettings,
    reconstruct: Reconstruct,
) -> _Look:
    columns = np.ascontiguousarray(sinogram.T)
    odd = find_odd_columns(columns)
    is_open = settings.method == "auto"
    bridged = bridge(columns, odd) if is_open and odd.any() else columns
    methods = _methods_to_try(settings)
    slices = reconstruct(_by_every_method(bridged, methods, settings))
    figures = {name: ring_figure(one) for name, one in zip(methods, slices, strict=True)}
    before = figures["none"]
    if bridged is not columns:
        before = ring_figure(reconstruct(columns.T[None].copy())[0])
    errors = _errors(bridged, cor_px, methods, settings, reconstruct) if is_open else {}
    return _Look(number, int(odd.sum()), before, figures, errors)


def _methods_to_try(settings: StripeSettings) -> tuple[Removal, ...]:
    """Return all methods, or the one asked for and ``none`` to compare it with."""
    if settings.method == "auto":
        return METHODS
    return ("none",) if settings.method == "none" else ("none", settings.method)


def _errors(
    columns: Float32Array,
    cor_px: float,
    methods: tuple[Removal, ...],
    settings: StripeSettings,
    reconstruct: Reconstruct,
) -> dict[Removal, float]:
    """Return each method's rms error on the row's own stripes planted elsewhere, over the rms."""
    parted = part(columns, cor_px)
    clean = reconstruct(np.ascontiguousarray(parted.clean.T)[None])[0]
    y, x = np.ogrid[: clean.shape[0], : clean.shape[1]]
    middle = (len(clean) - 1) / 2
    inside = np.hypot(y - middle, x - middle) < _LOOKED_AT * middle
    scale = float(np.sqrt(np.mean(clean[inside] ** 2))) or 1.0
    total = np.zeros(len(methods))
    for share in _SHIFTS:
        planted = parted.planted(round(share * len(columns)))
        slices = reconstruct(_by_every_method(planted, methods, settings))
        total += [np.sqrt(np.mean((one - clean)[inside] ** 2)) for one in slices]
    return dict(zip(methods, (total / len(_SHIFTS) / scale).tolist(), strict=True))


def _by_every_method(
    columns: Float32Array, methods: tuple[Removal, ...], settings: StripeSettings
) -> Float32Array:
    """Return the sinogram (x, angle) without its stripes by every method, (method, angle, x)."""
    sinogram = np.ascontiguousarray(columns.T)[None]

    def remove(method: Removal) -> Float32Array:
        return remove_stripes(sinogram, settings.model_copy(update={"method": method}))

    with threads_on_cores() as threads:
        return np.concatenate(list(threads.map(remove, methods)))
