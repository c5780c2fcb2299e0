"""Choose, once a scan, what is done against the stripes of its sinograms, and measure its rings."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tomobatch.calibrate.calibration import calibrate
from tomobatch.calibrate.evidence import EvidenceSettings, gather_evidence
from tomobatch.calibrate.settings import CalibrateSettings
from tomobatch.errors import UserError
from tomobatch.normalise.missing import bridge
from tomobatch.reconstruct.slices import fbp
from tomobatch.records.job import Record, logger, reported
from tomobatch.stores.angles import load_angles
from tomobatch.stores.files import write_bytes, write_json
from tomobatch.stores.read import open_array, read_sinograms
from tomobatch.stripes.choice import Reconstruct, StripeChoice, choose_removal
from tomobatch.stripes.rows import rows_to_look_at
from tomobatch.stripes.settings import StripeSettings

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

Sinograms = npt.NDArray[np.float32]


def rough_cors_px(
    sinograms: Sinograms, rows: list[int], angles_rad: npt.NDArray[np.float64], n_rows: int
) -> npt.NDArray[np.float64]:
    """Return the centre of rotation of some rows: good enough to see rings, which are about it."""
    middle = (sinograms.shape[2] - 1) / 2
    try:
        evidence = [
            gather_evidence(one[None], angles_rad, row, EvidenceSettings(n_rows))
            for row, one in zip(rows, sinograms, strict=True)
        ]
        found = calibrate(evidence, CalibrateSettings()).cor_px(np.array(rows))
    except UserError:
        found = np.full(len(rows), middle)
    return np.clip(found, 0, 2 * middle)


def main(
    projections_metadata: str,
    angles_path: str,
    settings: dict[str, Any],
    choice_path: str,
    record_path: str,
) -> None:
    """Write the choice and the record of one scan."""
    record = Record("choose_stripes")
    projections = open_array(projections_metadata)
    rows = rows_to_look_at(projections.shape[1])
    with record.stage("read"):
        angles_rad = load_angles(Path(angles_path))
        order = np.argsort(angles_rad, kind="stable")
        sinograms = np.concatenate([read_sinograms(projections, row, row + 1) for row in rows])
        bridge(sinograms, angles_rad)
        sinograms = sinograms[:, order]
        angles_rad = angles_rad[order]

    def reconstruct(cor_px: float) -> Reconstruct:
        return lambda some: fbp(some, angles_rad, cor_px, device="cpu")

    def looked_at() -> Iterator[tuple[int, Sinograms, float]]:
        cors_px = rough_cors_px(sinograms, rows, angles_rad, projections.shape[1])
        for row, sinogram, cor_px in zip(rows, sinograms, cors_px, strict=True):
            yield row, sinogram, float(cor_px)

    with record.stage("compute"):
        choice = choose_removal(looked_at(), StripeSettings.model_validate(settings), reconstruct)
    logger.info("%s", in_words(choice))
    write_bytes(Path(choice_path), choice.to_json().encode())
    write_json(Path(record_path), record.to_dict())


def in_words(choice: StripeChoice) -> str:
    """Return one line for the log."""
    asked = "chosen" if choice.asked == "auto" else "asked for"
    if choice.figure_before is None or choice.figure_after is None:
        return f"stripes: {choice.method}, {asked}; too few columns to measure rings"
    return (
        f"stripes: {choice.method}, {asked}; ring figure {choice.figure_before:.3f} before,"
        f" {choice.figure_after:.3f} after; at most {choice.n_odd_columns} dead columns a row"
    )


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(
            snakemake.input.metadata,
            snakemake.input.angles,
            snakemake.params.stripes,
            snakemake.output.choice,
            snakemake.output.record,
        )
