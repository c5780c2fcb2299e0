"""Make the report of one scan, and the pictures of its middle slices."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tomobatch.calibrate.calibration import Calibration
from tomobatch.orientation import Orientation
from tomobatch.provenance.record import as_group, found_values, make_record
from tomobatch.reconstruct.slices import fbp
from tomobatch.records.job import logger, reported
from tomobatch.report.content import ReportContent
from tomobatch.report.gather import corrections, planes, stack
from tomobatch.report.images import image_png
from tomobatch.report.page import render_page
from tomobatch.report.quality import level_at_the_edges, resolved_share, seam
from tomobatch.report.verdicts import Figures, judge
from tomobatch.scan.identity import identify
from tomobatch.scan.open import open_scan
from tomobatch.scan.settings import DatasetSettings
from tomobatch.stores.angles import load_angles
from tomobatch.stores.files import write_bytes
from tomobatch.stores.read import open_array
from tomobatch.stores.references import load_references
from tomobatch.stripes.choice import StripeChoice

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    name: str,
    scan: str,
    references: str,
    angles: str,
    calibration: str,
    stripes: str,
    arrays: dict[str, str],
    volume_levels: Sequence[str],
    records: Sequence[str],
    settings: dict[str, Any],
    orientation: Orientation,
    findings_path: str,
    html_path: str,
    picture_paths: Sequence[str],
    provenance_path: str,
) -> None:
    """Write the page, one picture a plane, and into the volume how it was made."""
    averaged = load_references(Path(references))
    levels = [open_array(metadata) for metadata in volume_levels]
    opened_arrays = {array: open_array(metadata) for array, metadata in arrays.items()}
    with open_scan(scan, DatasetSettings.model_validate(settings["datasets"])) as opened:
        content = ReportContent(
            name=name,
            header=opened.header,
            references=averaged,
            calibration=Calibration.from_json(Path(calibration).read_text(encoding="utf-8")),
            angles_reason=json.loads(Path(angles).read_text(encoding="utf-8"))["reason"],
            planes=planes(levels[0], levels[-1]),
            stack=tuple(stack(levels)),
            corrections=corrections(
                opened,
                opened_arrays["projections"],
                opened_arrays["sinograms"],
                averaged,
                settings,
            ),
            records=[json.loads(Path(record).read_text(encoding="utf-8")) for record in records],
            settings=settings,
            orientation=orientation,
        )
        identity = identify(opened)
    choice = StripeChoice.from_json(Path(stripes).read_text(encoding="utf-8"))
    figures = measure(content, load_angles(Path(angles)))
    content = replace(content, verdicts=judge(content.calibration, choice, figures))
    write_bytes(Path(findings_path), content.findings.to_json().encode())
    write_bytes(Path(html_path), render_page(content).encode())
    for path, plane in zip(picture_paths, content.planes.values(), strict=True):
        write_bytes(Path(path), image_png(plane, content.grey_window))
    found = found_values(
        content.header, content.references, content.angles_reason, content.calibration, choice
    )
    made = make_record(name, scan, identity, settings, found, content.warnings, content.records)
    write_bytes(Path(provenance_path), as_group(made))
    logger.info("report: %s", html_path)


def measure(content: ReportContent, angles_rad: npt.NDArray[np.float64]) -> Figures:
    """Measure what judges the result, on the middle row and on what the steps counted."""
    sinogram = np.asarray(content.corrections.sinogram_after, np.float32)
    order = np.argsort(angles_rad, kind="stable")
    sinogram, angles_rad = sinogram[order], angles_rad[order]
    row = content.calibration.n_rows // 2
    cor_px = float(content.calibration.cor_px(np.array([row]))[0])
    header = content.header
    resolved = came_back = None
    # Rays of a cone have no opposite and no row of their own.
    if header.beam is None:
        halves = [
            fbp(sinogram[start::2], angles_rad[start::2], cor_px, device="cpu")[0]
            for start in (0, 1)
        ]
        resolved = resolved_share(halves[0], halves[1])
        came_back = seam(sinogram, angles_rad, cor_px)
    n_readings = header.n_projections * header.n_rows * header.n_cols
    return Figures(
        resolved_share=resolved,
        seam=came_back,
        edge_level=level_at_the_edges(sinogram),
        clipped_share=content.total("clipped") / n_readings,
        saturated_share=content.total("saturated") / n_readings,
    )


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(
            name=snakemake.wildcards.scan,
            scan=snakemake.input.scan,
            references=snakemake.input.references,
            angles=snakemake.input.angles,
            calibration=snakemake.input.calibration,
            stripes=snakemake.input.stripes,
            arrays={
                "projections": snakemake.input.projections,
                "sinograms": snakemake.input.sinograms,
            },
            volume_levels=snakemake.input.volume_arrays,
            records=[
                *snakemake.input.records,
                *snakemake.input.preprocess,
                *snakemake.input.process,
                *snakemake.input.reconstruct,
            ],
            settings=snakemake.params.settings,
            orientation=snakemake.params.orientation,
            findings_path=snakemake.output.findings,
            html_path=snakemake.output.html,
            picture_paths=snakemake.output.pictures,
            provenance_path=snakemake.output.provenance,
        )
