"""Runs on AWS: where they lie, what is known of them, how they are started and ended."""
