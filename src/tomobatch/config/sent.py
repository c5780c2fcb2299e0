"""Files that a configuration is read from, on their way to machines that have none of them."""

from pathlib import Path

from tomobatch.errors import UserError


def in_this_folder(key: str, file: str, otherwise: str = "") -> str:
    """Return a file that a key of the configuration names, if it can be sent.

    Parameters
    ----------
    key
        The key, for the message.
    file
        Its path.
    otherwise
        What can be done but to copy it.

    Raises
    ------
    UserError
        Where it lies outside of this folder, which is all that other machines are sent.
    """
    if Path(file).is_absolute() or ".." in Path(file).parts:
        raise UserError(
            f"{key}: {file} is not in this folder, which is all that a run on AWS has: copy it"
            f" here{otherwise}"
        )
    return file
