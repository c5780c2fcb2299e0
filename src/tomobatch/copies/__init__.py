"""Copies of a volume in formats that other programs open; whole numbers stay as they are."""
