"""The closed schema of config.yaml: what to compute, with defaults, ranges and units.

Every model forbids unknown keys, so a misspelt key is an error that names the closest right one.
"""

import csv
import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from tomobatch.errors import UserError


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError("must be odd, so that the window has a middle")
    return value


Auto = Literal["auto"]
ChunkSize = Annotated[int, Field(ge=1, le=1_000_000)]
OddPx = Annotated[int, Field(ge=3), AfterValidator(_odd)]


class Section(BaseModel):
    """A part of the configuration that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class Chunks(Section):
    """How the work is cut into jobs."""

    projections: ChunkSize | Auto = Field(64, description="projections a preprocess job")
    slices: ChunkSize | Auto = Field(32, description="detector rows a process or reconstruct job")
    memory_mb: float = Field(256, gt=0, description="float32 data of one chunk, for `auto`")


class Datasets(Section):
    """Where a scan keeps its parts, when the file does not tell by itself."""

    projections: str | None = Field(None, description="path of the projections inside the file")
    flats: str | None = Field(None, description="path of the flats")
    darks: str | None = Field(None, description="path of the darks")
    angles: str | None = Field(None, description="path of the angles")
    angle_range_deg: tuple[float, float] | None = Field(
        None, description="first and last angle, evenly spaced between; overrides the file's angles"
    )
    pixel_size_um: float | None = Field(None, gt=0, description="detector pixel at the sample")
    energy_kev: float | None = Field(None, gt=0, description="photon energy, for the report")


class Normalise(Section):
    """Step 1: from counts to line integrals."""

    flats: Literal["interpolate", "mean"] = Field(
        "interpolate", description="between the flats before and after, or the mean of all"
    )
    zinger_threshold: float | None = Field(
        0.3, gt=0, description="excess over the median around it, as a share; null keeps zingers"
    )
    saturation_counts: float | None = Field(
        None,
        gt=0,
        description="counts of a saturated pixel; null: where the flats' counts pile up, or the"
        " largest that the type holds",
    )
    flat_scale: float = Field(
        1.0, gt=0, description="what the flats are multiplied by, if exposed otherwise"
    )
    transmission_min: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="clipped from below before the log; null: zero, with half a count added",
    )
    transmission_max: float = Field(10.0, ge=1, description="clipped from above before the log")


class Stripes(Section):
    """Step 2: removal of the sinogram stripes that make rings."""

    method: Literal["none", "sorting", "filtering", "large", "dead", "all"] = Field(
        "filtering", description="Vo's methods (2018); `all` is the combination"
    )
    snr: float = Field(3.0, gt=0, description="how strong a stripe must be; lower removes more")
    large_window_px: OddPx | None = Field(
        None, description="median window for large stripes; null: a fortieth of the width"
    )
    small_window_px: OddPx | None = Field(
        None, description="median window for small stripes; null: a hundredth of the width"
    )


class Calibrate(Section):
    """Step 3: centre of rotation, tilt and grey window; a given value wins over the found one."""

    cor_px: float | None = Field(None, description="centre of rotation at the middle row")
    tilt_deg: float | None = Field(None, gt=-45, lt=45, description="tilt of the rotation axis")
    grey_window: tuple[float, float] | None = Field(
        None, description="lowest and highest grey value to show, in the unit of the volume"
    )
    grey_percentiles: tuple[float, float] = Field(
        (0.1, 99.9), description="of the histogram, for the grey window that is found"
    )

    @model_validator(mode="after")
    def _ordered(self) -> "Calibrate":
        for name in ("grey_window", "grey_percentiles"):
            pair = getattr(self, name)
            if pair is not None and not pair[0] < pair[1]:
                raise ValueError(f"{name}: the first value must be below the second")
        low, high = self.grey_percentiles
        if low < 0 or high > 100:
            raise ValueError("grey_percentiles: must lie between 0 and 100")
        return self


class Reconstruct(Section):
    """Step 4: filtered back-projection."""

    method: Literal["auto", "direct", "fourier"] = Field("auto", description="how to back-project")
    filter: Literal["ramp", "shepp-logan", "cosine", "hamming", "hann"] = Field(
        "ramp", description="the window on the ramp filter"
    )
    device: Literal["auto", "gpu", "cpu"] = Field("auto", description="the OpenCL device")
    padding: Literal["edge", "zero"] = Field("edge", description="beyond the detector's edge")
    mask: bool = Field(True, description="set everything outside the field of view to zero")
    half_acquisition: bool = Field(
        False, description="merge the halves of a full turn about an axis near the detector's edge"
    )
    size_px: int | None = Field(
        None,
        ge=1,
        description="width of a slice; null: of the detector, or twice of it when merged",
    )
    roi_px: tuple[int, int, int, int] | None = Field(
        None, description="part of the slice to reconstruct: x, y, width, height"
    )
    binning: int = Field(1, ge=1, le=64, description="pixels averaged along each side")


class Volume(Section):
    """What is written, for all scans alike."""

    levels: int = Field(3, ge=1, le=8, description="resolutions of the OME-Zarr pyramid")
    export: list[Literal["tiff", "hdf5"]] = Field(
        [], description="copies of the volume in other formats"
    )


class ScanConfig(Section):
    """Everything that may differ from scan to scan."""

    path: str
    datasets: Datasets = Datasets()
    chunks: Chunks = Chunks()
    normalise: Normalise = Normalise()
    stripes: Stripes = Stripes()
    calibrate: Calibrate = Calibrate()
    reconstruct: Reconstruct = Reconstruct()


class Config(Section):
    """The whole of config.yaml."""

    scans: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")], ScanConfig] = Field(
        min_length=1,
        description="name: path, or name: {path, sections}; or a .tsv/.csv sheet",
    )
    results: str = Field("results", min_length=1, description="folder of all results")
    volume: Volume = Volume()
    datasets: Datasets = Datasets()
    chunks: Chunks = Chunks()
    normalise: Normalise = Normalise()
    stripes: Stripes = Stripes()
    calibrate: Calibrate = Calibrate()
    reconstruct: Reconstruct = Reconstruct()


_SHARED = tuple(name for name in ScanConfig.model_fields if name != "path")


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
        shared = {name: merged[name] for name in _SHARED if name in merged}
        merged["scans"] = {str(name): _overlay(shared, entry) for name, entry in scans.items()}
    try:
        return Config.model_validate(merged)
    except ValidationError as error:
        raise UserError(_first_problem(error)) from None


def read_sheet(path: Path) -> dict[str, dict[str, Any]]:
    """Read a sheet of scans.

    Its columns are ``scan``, ``path``, and dotted keys such as ``calibrate.cor_px``.

    Raises
    ------
    UserError
        If the sheet is missing, or lacks one of the two columns.
    """
    if not path.is_file():
        raise UserError(f"scans: the sheet {path} does not exist; give its path from where you run")
    delimiter = "," if path.suffix.lower() == ".csv" else "\t"
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file, delimiter=delimiter)
        missing = {"scan", "path"} - set(reader.fieldnames or ())
        if missing:
            raise UserError(f"scans: the sheet {path} lacks the column {sorted(missing)[0]!r}")
        scans: dict[str, dict[str, Any]] = {}
        for line, row in enumerate(reader, start=2):
            name = row.pop("scan")
            if name in scans:
                raise UserError(f"scans: {path} line {line} names the scan {name!r} a second time")
            scans[name] = _nest(row)
    return scans


def _nest(row: Mapping[str, str | None]) -> dict[str, Any]:
    """Turn ``{"a.b": "12"}`` into ``{"a": {"b": "12"}}``; empty cells go."""
    nested: dict[str, Any] = {}
    for key, value in row.items():
        if value:
            *sections, last = key.split(".")
            target = nested
            for section in sections:
                target = target.setdefault(section, {})
            target[last] = value
    return nested


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


def _first_problem(error: ValidationError) -> str:
    """Say in one line what is wrong first, where, and what would be right."""
    # A fault in a shared section shows up once more under every scan: tell it where it was written.
    problem = min(error.errors(), key=lambda each: each["loc"][:1] == ("scans",))
    # Beside keys, pydantic names the branch of a union that it tried, such as "constrained-int".
    location = [str(part) for part in problem["loc"] if not _is_union_branch(str(part))]
    key = ".".join(location)
    if problem["type"] == "extra_forbidden":
        known = sorted(_keys_at(problem["loc"][:-1]))
        close = difflib.get_close_matches(location[-1], known, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"
        return f"config: unknown key {key!r}; {hint}"
    if problem["type"] == "missing":
        return f"config: {key} is missing; see config.yaml for an example"
    message = problem["msg"].removeprefix("Value error, ").replace("Input should", "should")
    message = message.replace(
        "Dictionary should have at least 1 item after validation, not 0", "no scan"
    )
    message = re.sub(
        "String should match pattern .*", "may hold letters, digits and . _ -", message
    )
    message = re.sub(r"valid dictionary or instance of \w+", "mapping of keys to values", message)
    return f"config: {key}: {message}, got {problem['input']!r}"


def _is_union_branch(part: str) -> bool:
    return part == "[key]" or part.startswith(("constrained-", "literal["))


def _keys_at(location: tuple[int | str, ...]) -> set[str]:
    """Return the keys that the schema knows at a location."""
    model: type[BaseModel] = Config
    parts = list(location)
    if parts[:1] == ["scans"]:
        model, parts = ScanConfig, parts[2:]
    for part in parts:
        annotation = model.model_fields[str(part)].annotation
        assert isinstance(annotation, type) and issubclass(annotation, BaseModel)  # noqa: S101
        model = annotation
    return set(model.model_fields)
