"""A beam whose pattern moves: principal components of its flats, where they help (decision 39)."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from tomobatch.arrays import Float32Array
from tomobatch.normalise.beam import flat_places, signals
from tomobatch.normalise.dynamic import find_modes, gains
from tomobatch.normalise.normalise import lowest_transmission
from tomobatch.normalise.references import References
from tomobatch.normalise.repair import plan_repair
from tomobatch.normalise.robust_mean import RawArray
from tomobatch.normalise.settings import NormaliseSettings
from tomobatch.normalise.twin import normalise_projection
from tomobatch.scan.flats import Flats
from tomobatch.scan.parts import Scan

_LOOKED_AT = 16
# The least share of the total variation that must go, and in standard errors.
_LEAST_GAIN, _LEAST_SIGMAS = 2e-3, 4.0


def follow_pattern(
    scan: Scan, flats: Flats, references: References, settings: NormaliseSettings
) -> tuple[References, list[str]]:
    """Let the projections follow the modes of the flats, if that helps where it was not fitted.

    In projections spread over the scan, each half of the pixels is mended with the weights that the
    other half gives. With `auto` the modes are used where the total variation falls that way, by
    0.2 % on average and by four standard errors.

    Returns
    -------
    The references, with modes if they are used; and what is to be said.
    """
    if settings.dynamic_flats is False:
        return references, []
    frames = [one.frames for one in flats.series]
    modes = find_modes(frames, references.dark, references.bad_pixels)
    if modes is None:
        return references, []
    n_projections = scan.header.n_projections
    count = min(_LOOKED_AT, n_projections)
    numbers = np.linspace(0, n_projections - 1, count).round().astype(int).tolist()

    def looked_at() -> Iterator[Float32Array]:
        for number in numbers:
            counts = scan.read_projections(number, number + 1)
            if np.isfinite(counts).all():
                yield _line_integrals(counts[0], number, references, settings)

    gained = gains(looked_at(), modes)
    of_all = gained if gained.size else np.zeros(1)
    mean, error = float(of_all.mean()), float(of_all.std() / np.sqrt(len(of_all)))
    helps = mean > max(_LEAST_GAIN, _LEAST_SIGMAS * error)
    if not helps and settings.dynamic_flats == "auto":
        return references, []
    return replace(references, modes=modes), [
        f"the pattern of the beam moves: the flats differ in {len(modes)} ways, of which every"
        f" projection gets its own share, and {mean:.1%} of the variation between neighbouring"
        " pixels goes; normalise.dynamic_flats: false switches it off"
    ]


def _line_integrals(
    counts: RawArray, number: int, references: References, settings: NormaliseSettings
) -> Float32Array:
    """Return those of one projection (y, x), zingers left in: a look at a scan needs no device."""
    if settings.input == "line_integrals":
        return counts.astype(np.float32)
    beams = signals(references, settings).astype(np.float64)
    (before,), (share,) = flat_places(np.array([number]), references, settings)
    beam = (1 - share) * beams[before] + share * beams[min(before + 1, len(beams) - 1)]
    return normalise_projection(
        counts,
        beam,
        references.dark.astype(np.float64),
        plan_repair(references.bad_pixels),
        settings.model_copy(update={"zinger_threshold": None}),
        references.noise,
        lowest_transmission(references, settings),
    ).line_integrals.astype(np.float32)
