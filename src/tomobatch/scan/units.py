"""Units as files spell them."""

_MICRONS = {
    **dict.fromkeys(("m", "meter", "metre", "meters", "metres"), 1e6),
    **dict.fromkeys(("cm",), 1e4),
    **dict.fromkeys(("mm", "millimeter", "millimetre", "millimeters", "millimetres"), 1e3),
    **dict.fromkeys(("um", "µm", "μm", "micron", "microns", "micrometer", "micrometre"), 1.0),
    **dict.fromkeys(("nm", "nanometer", "nanometre", "nanometers", "nanometres"), 1e-3),
}
_KEV = {"ev": 1e-3, "kev": 1.0, "mev": 1e3, "j": 1 / 1.602176634e-16}


def to_um(value: float, unit: str, usual: str) -> float | None:
    """Turn a length to micrometres; ``usual`` is meant where no unit is given.

    Returns
    -------
    float or None
        None if the unit is not known.
    """
    factor = _MICRONS.get(unit.lower() or usual)
    return None if factor is None else value * factor


def to_kev(value: float, unit: str) -> float | None:
    """Turn an energy to keV, which is meant where no unit is given; None if unit is not known."""
    factor = _KEV.get(unit.lower() or "kev")
    return None if factor is None else value * factor
