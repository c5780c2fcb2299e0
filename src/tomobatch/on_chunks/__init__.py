"""What the steps do to the numbers of a chunk, for the jobs of a run and for a preview."""
