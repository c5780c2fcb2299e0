"""Words of messages that depend on a number."""


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 pixel``, ``2 pixels``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
