"""The unit of grey values: attenuation by pixel inside, by centimetre in the volume."""

_UM_A_CM = 1e4


def grey_factor(pixel_size_um: float | None) -> float:
    """Return what turns attenuation in 1/pixel into the unit of the volume."""
    return 1.0 if pixel_size_um is None else _UM_A_CM / pixel_size_um


def grey_unit(pixel_size_um: float | None) -> str:
    """Return the unit of the volume: 1/cm, or 1/px where the pixel size is not known."""
    return "1/px" if pixel_size_um is None else "1/cm"
