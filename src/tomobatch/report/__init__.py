"""One self-contained page that a scientist can put on the table."""
