"""Zarr arrays that many jobs write, a shard a job, without ever meeting."""
