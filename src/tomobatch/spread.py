"""How far values spread, told robustly."""

NORMAL_MAD = 1.4826
"""Standard deviation of normal values over their median absolute deviation, 1 / Phi^-1(3/4)."""
