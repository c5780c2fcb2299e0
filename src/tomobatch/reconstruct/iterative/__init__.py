"""Reconstruction by iteration, for few angles, missing wedges and noise: SIRT, CGLS and TV.

Decision 116.
"""
