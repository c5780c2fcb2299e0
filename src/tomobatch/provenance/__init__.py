"""How a volume was made, kept inside it, so that it can be made again and compared."""
