"""Who may do what: the caller of a request, what the call needs, and what policies say of it."""
