"""The closed schema of config.yaml, put together from the settings of every step.

Every model forbids unknown keys, so a misspelt key is an error that names the closest right one
(decision 1). Sheets of scans are decision 7.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from tomobatch.align.settings import AlignSettings
from tomobatch.calibrate.settings import CalibrateSettings
from tomobatch.chunks import ChunkSettings
from tomobatch.config.problems import first_problem
from tomobatch.config.section import Section
from tomobatch.config.sheet import read_sheet
from tomobatch.errors import UserError
from tomobatch.normalise.settings import NormaliseSettings
from tomobatch.phase.settings import PhaseSettings
from tomobatch.reconstruct.settings import ReconstructSettings
from tomobatch.scan.settings import DatasetSettings
from tomobatch.stores.settings import VolumeSettings
from tomobatch.stripes.settings import StripeSettings
from tomobatch.tube.settings import TubeSettings

ScanName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]


class ScanSections(Section):
    """The sections that may differ from scan to scan."""

    datasets: DatasetSettings = DatasetSettings()
    chunks: ChunkSettings = ChunkSettings()
    normalise: NormaliseSettings = NormaliseSettings()
    tube: TubeSettings = TubeSettings()
    phase: PhaseSettings = PhaseSettings()
    stripes: StripeSettings = StripeSettings()
    align: AlignSettings = AlignSettings()
    calibrate: CalibrateSettings = CalibrateSettings()
    reconstruct: ReconstructSettings = ReconstructSettings()


class ScanConfig(ScanSections):
    """One scan, with its own complete copy of every section."""

    path: str


class Config(ScanSections):
    """The whole of config.yaml."""

    scans: dict[ScanName, ScanConfig] = Field(
        min_length=1,
        description="name: path, or name: {path, sections}; or a .tsv/.csv sheet",
    )
    results: str = Field("results", min_length=1, description="folder of all results")
    keep_intermediates: bool = Field(
        False, description="projections.zarr and sinograms.zarr stay after a green report as well"
    )
    replace_results: bool = Field(
        False, description="make finished results anew where settings changed, without asking"
    )
    volume: VolumeSettings = VolumeSettings()


def load_config(values: Mapping[str, Any]) -> Config:
    """Check the configuration and hand every scan its own complete copy of the shared sections.

    Parameters
    ----------
    values
        What config.yaml holds, as plain mappings and values.

    Raises
    ------
    UserError
        For an unknown key (names the closest), a wrong type or a value out of range.
    """
    merged = dict(values)
    scans = merged.get("scans")
    if isinstance(scans, str):
        scans = read_sheet(Path(scans))
    if isinstance(scans, Mapping):
        shared = {name: merged[name] for name in ScanSections.model_fields if name in merged}
        merged["scans"] = {str(name): _overlay(shared, entry) for name, entry in scans.items()}
    try:
        return Config.model_validate(merged)
    except ValidationError as error:
        raise UserError(first_problem(error, Config)) from None


def _overlay(shared: Mapping[str, Any], entry: Any) -> Any:  # noqa: ANN401 - unchecked user input
    """Lay a scan's own values over the shared sections, two levels deep."""
    own = {"path": entry} if isinstance(entry, str) else entry
    if not isinstance(own, Mapping):
        return own
    merged: dict[str, Any] = {**shared, **own}
    for name, values in shared.items():
        section = own.get(name)
        if isinstance(values, Mapping) and isinstance(section, Mapping):
            merged[name] = {**values, **section}
    return merged
