"""A page on which to look at a volume, served on loopback from a folder or from S3.

Decision 102.
"""
