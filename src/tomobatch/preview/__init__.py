"""A slice in seconds: a few rows through the same functions as a run, side by side on a page."""
