"""Projections of a sample, source or detector that moved, put back where they belong."""
