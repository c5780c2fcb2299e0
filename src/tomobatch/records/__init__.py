"""What jobs write down of themselves, and what a run says at its end from that."""
