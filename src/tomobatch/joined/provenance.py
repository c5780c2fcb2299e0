"""How the volumes of a joined one were made: the record of each, under its number."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tomobatch.joined.level import Member
from tomobatch.provenance.record import JOINED
from tomobatch.stores.files import write_json
from tomobatch.stores.volume import PROVENANCE


def take_provenance(members: Sequence[Member], folder: Path, joined: Mapping[str, Any]) -> None:
    """Copy the records of volumes into the joined one's folder, with how they were joined."""
    for number, member in enumerate(members):
        shutil.copytree(member.folder / PROVENANCE, folder / PROVENANCE / str(number))
    group = {"zarr_format": 3, "node_type": "group", "attributes": {JOINED: dict(joined)}}
    write_json(folder / PROVENANCE / "zarr.json", group)
