"""Files that a user names for a command to write: what is there is the user's."""

from pathlib import Path

from tomobatch.errors import UserError


def refuse_existing(*paths: Path, force: bool) -> None:
    """Refuse to write where something is, before anything is computed.

    Raises
    ------
    UserError
        If one of the paths is there, unless ``force``; if it is a folder, always.
    """
    for path in paths:
        if path.is_dir():
            raise UserError(f"{path} is a folder; give the name of a file")
        if not force and (path.exists() or path.is_symlink()):
            raise UserError(f"{path} exists; give another name, or --force to write it anew")
