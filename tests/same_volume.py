"""Two volumes of one scan, made in two places, are one volume."""

from pathlib import Path

from tomobatch.provenance.differences import compare_records
from tomobatch.provenance.record import read_record
from tomobatch.results import VOLUME
from tomobatch.stores.volume import PROVENANCE


def assert_one_volume(results: Path, others: Path) -> None:
    """Compare the volumes of two folders of results byte by byte.

    How each was made is compared by its figures: where and when may differ.
    """
    expected, found = (_files(folder / VOLUME) for folder in (others, results))
    assert len(expected) > 4
    assert found == expected
    differences = compare_records(read_record(str(results)), read_record(str(others)))
    assert not differences, "\n".join(map(str, differences))


def _files(volume: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(volume)): path.read_bytes()
        for path in volume.rglob("*")
        if path.is_file() and PROVENANCE not in path.parts
    }
