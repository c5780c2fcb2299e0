"""Step 1: raw counts to line integrals, by flats and darks."""
