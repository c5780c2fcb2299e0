"""Balanced slices: which of n commands child i of an array of N runs."""


def balanced_slice(n_items: int, n_slices: int, index: int) -> range:
    """Return the items of one slice: ``[n*i//N, n*(i+1)//N)``.

    Parameters
    ----------
    n_items
        Number of items in all, 0 or more.
    n_slices
        Number of slices, 1 or more.
    index
        0-based index of the slice.

    Returns
    -------
    range
        Consecutive item indices; lengths of any two slices differ by 1 at most.

    Raises
    ------
    ValueError
        If a count is negative or the index lies outside ``[0, n_slices)``.
    """
    if n_items < 0 or n_slices < 1:
        raise ValueError(f"cannot cut {n_items} items into {n_slices} slices")
    if not 0 <= index < n_slices:
        raise ValueError(f"slice {index} is outside [0, {n_slices})")
    return range(n_items * index // n_slices, n_items * (index + 1) // n_slices)


def slice_holding(n_items: int, n_slices: int, item: int) -> int:
    """Return the index of the balanced slice that holds an item.

    Raises
    ------
    ValueError
        If the item lies outside ``[0, n_items)``.
    """
    if not 0 <= item < n_items:
        raise ValueError(f"item {item} is outside [0, {n_items})")
    return ((item + 1) * n_slices - 1) // n_items


def longest_slice(n_items: int, n_slices: int) -> int:
    """Return the length of the longest balanced slice."""
    return -(-n_items // n_slices)
