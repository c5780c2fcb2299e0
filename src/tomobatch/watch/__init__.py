"""Scans that arrive in a folder: which are finished, and what became of each.

Decision 125.
"""
