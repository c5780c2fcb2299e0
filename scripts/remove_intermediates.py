"""Remove what only the steps of one scan needed, once a good report says that they are done."""

from pathlib import Path
from typing import TYPE_CHECKING

from tomobatch.records.findings import Findings
from tomobatch.records.job import Record, logger, reported
from tomobatch.results import INTERMEDIATES
from tomobatch.stores.anywhere import remove_folder
from tomobatch.stores.files import write_json

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(findings_path: str, results: str, record_path: str) -> None:
    """Remove the intermediates below an address, or say why they stay."""
    record = Record("remove_intermediates")
    level = Findings.from_json(Path(findings_path).read_text(encoding="utf-8")).level
    if level == "green":
        removed = sum(remove_folder(f"{results}/{name}") for name in INTERMEDIATES)
        record.facts["removed_bytes"] = removed
        logger.info("removed %s, %.1f MB", " and ".join(INTERMEDIATES), removed / 1e6)
    else:
        record.facts["kept_since"] = f"the report is {level}"
        logger.info("kept %s: the report is %s", " and ".join(INTERMEDIATES), level)
    write_json(Path(record_path), record.to_dict())


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(snakemake.input.findings, snakemake.params.results, snakemake.output.record)
