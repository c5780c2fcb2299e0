"""What may be configured, and what was."""
