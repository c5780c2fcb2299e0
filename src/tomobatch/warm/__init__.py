"""Scripts of a local run as forks of one process that has imported what they need. Decision 103."""
