"""What a run will take and cost, before anything runs."""
