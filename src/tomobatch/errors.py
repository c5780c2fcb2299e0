"""The one exception a user's mistake raises."""


class UserError(Exception):
    """A mistake that the user can mend, told in one line.

    The text says what was wrong, where (file, key, value) and what to do about it.
    Every entry point (scripts, rules, command line) prints it after ``error:`` and exits non-zero,
    without a traceback.
    """
