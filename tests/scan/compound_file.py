"""A writer of compound files (OLE, version 3), for scans that come in them: test data only.

After the published specification [MS-CFB]. Every stream is padded to 4096 bytes, from which on
streams lie in sectors of their own.
"""

import struct
from itertools import pairwise
from pathlib import Path

_SECTOR, _SHORTEST = 512, 4096
_FREE, _END, _FAT, _NONE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF


def write_compound_file(path: Path, streams: dict[str, bytes]) -> None:
    """Write streams, whose names hold at most one slash, to a compound file."""
    entries: list[list] = [["Root Entry", 5, _NONE, _NONE, _END, 0]]
    storages: dict[str, int] = {}
    children: dict[int, list[int]] = {0: []}
    body, chains = bytearray(), []
    for name, data in streams.items():
        folder, _, leaf = name.rpartition("/")
        parent = 0
        if folder:
            if folder not in storages:
                entries.append([folder, 1, _NONE, _NONE, 0, 0])
                storages[folder] = len(entries) - 1
                children[storages[folder]] = []
                children[0].append(storages[folder])
            parent = storages[folder]
        size = max(len(data), _SHORTEST)
        n_sectors = -(-size // _SECTOR)
        first = len(body) // _SECTOR
        chains.append((first, n_sectors))
        body += data.ljust(n_sectors * _SECTOR, b"\0")
        entries.append([leaf, 2, _NONE, _NONE, first, size])
        children[parent].append(len(entries) - 1)
    for parent, members in children.items():
        members.sort(key=lambda index: (len(entries[index][0]), entries[index][0].upper()))
        entries[parent][3] = members[0] if members else _NONE
        for one, following in pairwise(members):
            entries[one][2] = following
    directory = b"".join(_entry(*entry) for entry in entries)
    directory = directory.ljust(-(-len(directory) // _SECTOR) * _SECTOR, b"\0")
    chains.append((len(body) // _SECTOR, len(directory) // _SECTOR))
    first_directory = len(body) // _SECTOR
    body += directory
    n_data = len(body) // _SECTOR
    n_fat = 1
    while n_fat * 128 < n_data + n_fat:
        n_fat += 1
    fat = [_FREE] * (n_fat * 128)
    for first, count in chains:
        for sector in range(first, first + count):
            fat[sector] = sector + 1 if sector < first + count - 1 else _END
    for sector in range(n_data, n_data + n_fat):
        fat[sector] = _FAT
    header = struct.pack(
        "<8s16xHHHHH6xIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6,
        0, n_fat, first_directory, 0, _SHORTEST, _END, 0, _END, 0,
    )  # fmt: skip
    places = [n_data + index for index in range(n_fat)]
    header += struct.pack("<109I", *places, *[_FREE] * (109 - n_fat))
    path.write_bytes(header + bytes(body) + struct.pack(f"<{len(fat)}I", *fat))


def _entry(name: str, kind: int, right: int, child: int, first: int, size: int) -> bytes:
    encoded = (name + "\0").encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII16xI8x8xIQ",
        encoded, len(encoded), kind, 1, _NONE, right, child, 0, first, size,
    )  # fmt: skip
