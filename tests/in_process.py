"""The steps of the workflow one after the other in this process: its scripts, without Snakemake.

The jobs and their files are those of the plan and the rules; what Snakemake adds, such as storage,
retries and the order of jobs, is tested in ``tests/workflow``.
"""

import functools
import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr

from tomobatch.calibrate.calibration import Calibration
from tomobatch.config.schema import load_config
from tomobatch.plan import ScanPlan
from tomobatch.plan_scan import read_plan
from tomobatch.records.findings import Findings
from tomobatch.records.summary import read_records, warnings_of
from tomobatch.stores.files import write_bytes
from tomobatch.stores.references import load_references

SCRIPTS = Path(__file__).parents[1] / "scripts"


@functools.cache
def script(name: str) -> ModuleType:
    """Import a script of the workflow."""
    spec = importlib.util.spec_from_file_location(f"script_{name}", SCRIPTS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Reconstructed:
    """What a scan came to."""

    plan: ScanPlan
    results: Path

    @property
    def volume(self) -> npt.NDArray[np.float32]:
        """The finest level, (z, y, x)."""
        return np.asarray(zarr.open_array(self.results / "volume.ome.zarr" / "0", mode="r")[:])

    @property
    def attributes(self) -> dict[str, Any]:
        """Those of the volume's group."""
        group = json.loads((self.results / "volume.ome.zarr" / "zarr.json").read_text())
        return dict(group["attributes"])

    @property
    def calibration(self) -> Calibration:
        """What was found."""
        return Calibration.from_json((self.results / "calibration.json").read_text())

    @property
    def findings(self) -> Findings:
        """What the report finds; it is made anew."""
        plan, folder = self.plan, self.results
        script("report").main(
            "scan",
            plan.header.path,
            *(str(folder / name) for name in ("references.h5", "angles.json")),
            *(str(folder / name) for name in ("calibration.json", "stripes.json")),
            {name: str(folder / f"{name}.zarr/zarr.json") for name in ("projections", "sinograms")},
            [str(folder / f"volume.ome.zarr/{k}/zarr.json") for k in range(plan.n_levels)],
            sorted(str(path) for path in (folder / "records").rglob("*.json")),
            plan.settings,
            plan.orientation,
            str(folder / "findings.json"),
            str(folder / "report.html"),
            [str(folder / f"preview/{plane}.png") for plane in ("xy", "xz", "yz")],
            str(folder / "volume.ome.zarr/provenance/zarr.json"),
        )
        return Findings.from_json((folder / "findings.json").read_text())

    @property
    def warnings(self) -> tuple[str, ...]:
        """All that a run's closing lines warn of."""
        references = load_references(self.results / "references.h5")
        of_jobs = warnings_of(read_records(self.results))
        return (*references.warnings, *of_jobs, *self.calibration.warnings)


def reconstruct(folder: Path, scan: Path, sections: Mapping[str, Any] = {}) -> Reconstructed:
    """Plan a scan as the rules do, and run its jobs.

    Parameters
    ----------
    folder
        Where its results go.
    scan
        Its path.
    sections
        Of the configuration.
    """
    config = load_config({"scans": {"scan": str(scan)}, **sections})
    plan = read_plan(config, "scan", str(scan))
    done = Reconstructed(plan, folder)
    _first_two_steps(done)
    script("calibrate").main(
        [str(folder / f"evidence/{k}.json") for k in range(plan.rows.n_chunks)],
        _alignment(plan, folder),
        _settings(plan, "calibrate"),
        plan.pixel_size_um,
        plan.beam,
        plan.merging,
        plan.header.columns,
        str(folder / "calibration.json"),
        str(folder / "records/calibrate.json"),
    )
    _last_step(done)
    return done


def _settings(plan: ScanPlan, section: str) -> dict[str, Any]:
    return dict(getattr(plan.config, section).model_dump(mode="json"))


def _alignment(plan: ScanPlan, folder: Path) -> str | None:
    """Return where the shifts of the projections lie, if they are asked for."""
    return str(folder / "alignment.json") if plan.is_aligned else None


def _first_two_steps(done: Reconstructed) -> None:
    plan, folder = done.plan, done.results
    scan, datasets = plan.header.path, _settings(plan, "datasets")
    normalise, stripes = _settings(plan, "normalise"), _settings(plan, "stripes")
    references, angles = str(folder / "references.h5"), str(folder / "angles.json")
    choice = str(folder / "stripes.json")
    projections = folder / "projections.zarr"
    script("average_references").main(
        scan,
        datasets,
        normalise,
        references,
        angles,
        str(folder / "records/average_references.json"),
    )
    write_bytes(projections / "zarr.json", plan.projections_layout.metadata())
    for i in range(plan.projections.n_chunks):
        script("preprocess").main(
            scan,
            references,
            i,
            datasets,
            normalise,
            plan.corrections,
            plan.projections_layout,
            str(projections / f"c/{i}/0/0"),
            str(folder / f"records/preprocess/{i}.json"),
        )
    metadata = str(projections / "zarr.json")
    record = str(folder / "records/choose_stripes.json")
    script("choose_stripes").main(metadata, angles, stripes, choice, record, plan.beam)
    write_bytes(folder / "sinograms.zarr/zarr.json", plan.sinograms_layout.metadata())
    alignment = _alignment(plan, folder)
    if alignment is not None:
        script("align").main(
            metadata,
            angles,
            choice,
            _settings(plan, "align"),
            stripes,
            plan.beam,
            alignment,
            str(folder / "records/align.json"),
        )
    for k in range(plan.rows.n_chunks):
        script("process").main(
            metadata,
            angles,
            choice,
            alignment,
            k,
            stripes,
            plan.beam,
            plan.sinograms_layout,
            str(folder / f"sinograms.zarr/c/{k}/0/0"),
            str(folder / f"evidence/{k}.json"),
            str(folder / f"records/process/{k}.json"),
        )


def _last_step(done: Reconstructed) -> None:
    plan, folder = done.plan, done.results
    calibration = str(folder / "calibration.json")
    volume, levels = folder / "volume.ome.zarr", range(plan.n_levels)
    script("lay_out_volume").main(
        "scan",
        plan.volume_layout,
        calibration,
        str(volume / "zarr.json"),
        [str(volume / f"{level}/zarr.json") for level in levels],
    )
    for k in range(plan.slices.n_chunks):
        script("reconstruct").main(
            str(folder / "sinograms.zarr/zarr.json"),
            calibration,
            str(folder / "angles.json"),
            k,
            _settings(plan, "reconstruct"),
            plan.whole_slice_px,
            plan.volume_layout,
            [str(volume / f"{level}/c/{k}/0/0") for level in levels],
            str(folder / f"records/reconstruct/{k}.json"),
        )
