"""Make the report of one scan, and the pictures of its middle slices."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tomobatch.calibrate.calibration import Calibration
from tomobatch.records.job import logger, reported
from tomobatch.report.content import ReportContent
from tomobatch.report.gather import corrections, planes
from tomobatch.report.page import render_page
from tomobatch.report.pictures import image_png
from tomobatch.scan.open import open_scan
from tomobatch.scan.settings import DatasetSettings
from tomobatch.stores.files import write_bytes
from tomobatch.stores.read import open_array
from tomobatch.stores.references import load_references

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    name: str,
    scan: str,
    references: str,
    angles: str,
    calibration: str,
    arrays: dict[str, str],
    records: Sequence[str],
    settings: dict[str, Any],
    html_path: str,
    picture_paths: Sequence[str],
) -> None:
    """Write the page, and one picture a plane."""
    opened_arrays = {array: open_array(metadata) for array, metadata in arrays.items()}
    with open_scan(scan, DatasetSettings.model_validate(settings["datasets"])) as opened:
        content = ReportContent(
            name=name,
            header=opened.header,
            references=load_references(Path(references)),
            calibration=Calibration.from_json(Path(calibration).read_text(encoding="utf-8")),
            angles_reason=json.loads(Path(angles).read_text(encoding="utf-8"))["reason"],
            planes=planes(opened_arrays["volume"], opened_arrays["coarse_volume"]),
            corrections=corrections(
                opened, opened_arrays["projections"], opened_arrays["sinograms"]
            ),
            records=[json.loads(Path(record).read_text(encoding="utf-8")) for record in records],
            settings=settings,
        )
    write_bytes(Path(html_path), render_page(content).encode())
    for path, plane in zip(picture_paths, content.planes.values(), strict=True):
        write_bytes(Path(path), image_png(plane, content.grey_window))
    logger.info("report: %s", html_path)


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(
            name=snakemake.wildcards.scan,
            scan=snakemake.input.scan,
            references=snakemake.input.references,
            angles=snakemake.input.angles,
            calibration=snakemake.input.calibration,
            arrays={
                "projections": snakemake.input.projections,
                "sinograms": snakemake.input.sinograms,
                "volume": snakemake.input.volume_arrays[0],
                "coarse_volume": snakemake.input.volume_arrays[-1],
            },
            records=[
                *snakemake.input.records,
                *snakemake.input.preprocess,
                *snakemake.input.process,
                *snakemake.input.reconstruct,
            ],
            settings=snakemake.params.settings,
            html_path=snakemake.output.html,
            picture_paths=snakemake.output.pictures,
        )
