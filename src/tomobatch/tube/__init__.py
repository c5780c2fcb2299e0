"""What the beam of a tube adds to a projection: hardening by the sample, and scattered light."""
