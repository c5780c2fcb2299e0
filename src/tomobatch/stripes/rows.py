"""Which rows of a scan are looked at to choose against its stripes, whatever the chunks."""

N_ROWS = 8


def rows_to_look_at(n_rows: int) -> list[int]:
    """Return up to eight rows, evenly spread over the height of the detector."""
    n = min(N_ROWS, n_rows)
    return [(2 * i + 1) * n_rows // (2 * n) for i in range(n)]
