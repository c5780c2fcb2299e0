"""Where between its samples a curve has its peak."""


def parabola_vertex(before: float, at: float, after: float) -> tuple[float, float]:
    """Return the vertex of the parabola through three samples one apart.

    Returns
    -------
    Its place relative to the middle sample, and its second derivative; both 0 for three equal
    samples.
    """
    curvature = float(before - 2 * at + after)
    if curvature == 0:
        return 0.0, 0.0
    return float(before - after) / (2 * curvature), curvature
