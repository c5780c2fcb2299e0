"""Scans with known truth: analytic solids, an imperfect detector, and the file that keeps both."""
