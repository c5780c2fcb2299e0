"""Fail for a scan whose report is red: everything is there, and what depends on it does not run."""

from pathlib import Path
from typing import TYPE_CHECKING

from tomobatch.errors import UserError
from tomobatch.records.findings import Findings
from tomobatch.records.job import logger, reported
from tomobatch.stores.files import write_json

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(findings_path: str, checked_path: str) -> None:
    """Write the level of a scan, unless it is red."""
    findings = Findings.from_json(Path(findings_path).read_text(encoding="utf-8"))
    red = [verdict.line for verdict in findings.verdicts if verdict.level == "red"]
    if red:
        raise UserError(
            f"scan {findings.scan!r} is red, and volume.check is fail: {'; '.join(red)}"
        )
    logger.info("%s: %s", findings.scan, findings.level)
    write_json(Path(checked_path), {"level": findings.level})


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(snakemake.input.findings, snakemake.output.checked)
