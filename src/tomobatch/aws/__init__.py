"""The AWS wing: an account's stacks, the runs in it, and what they cost."""
