"""Volumes joined to one: scans one after the other in time, or one above the other.

Decision 126.
"""
