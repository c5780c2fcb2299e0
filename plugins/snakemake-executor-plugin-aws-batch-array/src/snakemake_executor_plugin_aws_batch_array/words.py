"""Words of messages that depend on a number."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: ``1 job``, ``2 jobs``, ``2 children``."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
