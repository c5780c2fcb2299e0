"""Units as files spell them, and figures that cannot be."""

from dataclasses import dataclass

_MICRONS = {
    **dict.fromkeys(("m", "meter", "metre", "meters", "metres"), 1e6),
    **dict.fromkeys(("cm", "centimeter", "centimetre"), 1e4),
    **dict.fromkeys(("mm", "millimeter", "millimetre", "millimeters", "millimetres"), 1e3),
    **dict.fromkeys(
        ("um", "µm", "μm", "micron", "microns", "micrometer", "micrometers", "micrometre"), 1.0
    ),
    **dict.fromkeys(("nm", "nanometer", "nanometre", "nanometers", "nanometres"), 1e-3),
}
_KEV = {"eV": 1e-3, "keV": 1.0, "MeV": 1e3, "meV": 1e-6, "J": 1 / 1.602176634e-16}
# What pixels and photons can be, and, narrower, what most are: the range in which a figure with a
# wrong unit must fall for exactly one unit.
_PIXEL_UM, _USUAL_PIXEL_UM = (0.01, 1000.0), (0.02, 250.0)
_ENERGY_KEV, _USUAL_ENERGY_KEV = (0.1, 10_000.0), (2.0, 500.0)
_DISTANCE_MM, _USUAL_DISTANCE_MM = (1e-3, 1e6), (1.0, 3e5)


@dataclass(frozen=True)
class Figure:
    """A figure of the file in the unit it is used in; None if it is not known, with the reason."""

    value: float | None = None
    note: str | None = None


def length_um(value: float, unit: str, usual: str) -> float | None:
    """Turn a length to micrometres; ``usual`` is meant without a unit, None if it is unknown."""
    factor = _MICRONS.get(unit.lower() or usual)
    return None if factor is None else value * factor


def pixel_um(value: float, unit: str, usual: str) -> Figure:
    """Turn the size of a pixel to micrometres.

    Parameters
    ----------
    value, unit
        As in the file; without a unit, ``usual`` is meant.

    Returns
    -------
    Figure
        A size that no pixel has, such as 6.5 m, is read in the one unit that makes it one, or
        not used, and its note says so.
    """
    scales = {"m": 1e6, "mm": 1e3, "um": 1.0, "nm": 1e-3}
    return _judge(
        f"a pixel size of {value:g} {unit or usual}",
        length_um(value, unit, usual),
        _PIXEL_UM,
        {name: value * factor for name, factor in scales.items()},
        _USUAL_PIXEL_UM,
        "datasets.pixel_size_um",
    )


def distance_mm(what: str, value: float, unit: str, usual: str, key: str) -> Figure:
    """Turn a distance along the beam to mm; as :func:`pixel_um`.

    ``what`` it is and the ``key`` of the configuration that is given instead are for the note.
    """
    stated = length_um(value, unit, usual)
    return _judge(
        f"{what} of {value:g} {unit or usual}".rstrip(),
        None if stated is None else stated / 1e3,
        _DISTANCE_MM,
        {"m": value * 1e3, "mm": value},
        _USUAL_DISTANCE_MM,
        key,
    )


def energy_kev(value: float, unit: str) -> Figure:
    """Turn a photon energy to keV, which is meant without a unit; as :func:`pixel_um`."""
    spelt = {name.lower(): factor for name, factor in _KEV.items()}
    stated = _KEV.get(unit or "keV", spelt.get(unit.lower()))
    if unit == "meV":
        return Figure(value * _KEV["meV"])
    return _judge(
        f"an energy of {value:g} {unit or 'keV'}",
        None if stated is None else value * stated,
        _ENERGY_KEV,
        {name: value * _KEV[name] for name in ("eV", "keV")},
        _USUAL_ENERGY_KEV,
        "datasets.energy_kev",
    )


def _judge(
    what: str,
    stated: float | None,
    possible: tuple[float, float],
    readings: dict[str, float],
    usual: tuple[float, float],
    key: str,
) -> Figure:
    """Take the stated figure if it can be, or the one reading that is usual."""
    if stated is not None and possible[0] <= stated <= possible[1]:
        return Figure(stated)
    likely = {name: value for name, value in readings.items() if usual[0] <= value <= usual[1]}
    if len(likely) == 1:
        ((name, value),) = likely.items()
        return Figure(value, f"{what} cannot be: {name} is taken; {key} overrides")
    return Figure(None, f"{what} cannot be, and is not used; give {key}")
