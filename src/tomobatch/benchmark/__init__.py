"""How fast a device reconstructs, by every variant and size: ``tomobatch doctor --benchmark``."""
