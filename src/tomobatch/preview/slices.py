"""The slices of a preview: every variant of every row, by the functions of the steps."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from tomobatch.align.move import moved
from tomobatch.arrays import Float32Array
from tomobatch.calibrate.calibration import Calibration, calibrate, with_given_axis
from tomobatch.calibrate.doubts import NO_TILT
from tomobatch.calibrate.evidence import EvidenceSettings, gather_evidence
from tomobatch.cores import n_usable_cores
from tomobatch.errors import UserError
from tomobatch.normalise.settings import NormaliseSettings
from tomobatch.on_chunks.corrections import Corrections
from tomobatch.on_chunks.rows import choose_stripes, process_rows
from tomobatch.on_chunks.slices import SlicesOfScan, settled
from tomobatch.plan import ScanPlan
from tomobatch.preview.band import Band, RowsInPlace, bands_of, look_around, read_sinograms
from tomobatch.preview.figures import Figures, measure
from tomobatch.preview.known import NOT_ALIGNED, NOT_ITERATED, Known
from tomobatch.preview.sweep import Changes
from tomobatch.scan.parts import Scan
from tomobatch.shifts import UNMOVED, Shifts
from tomobatch.stripes.choice import StripeChoice

_CHOOSING_ANGLES = 300  # a stripe is the same at all angles, and so many show it
AngleArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Tile:
    """One slice of a preview.

    Attributes
    ----------
    variant
        Its number; 0 is what the configuration and the scan itself ask for.
    row
        Of the detector.
    image
        float32 (y, x) in the unit of the volume.
    cor_px
        Centre of rotation of the row.
    stripes
        What was done against stripes.
    figures
        Of the slice.
    """

    variant: int
    row: int
    image: Float32Array
    cor_px: float
    stripes: str
    figures: Figures


@dataclass(frozen=True)
class Variant:
    """Settings to try: its changes of the configuration, and the plan that they make."""

    changes: Changes
    plan: ScanPlan


@dataclass
class Preview:
    """All slices, what was found, and what the user should know."""

    plan: ScanPlan
    rows: tuple[int, ...]
    variants: list[Variant]
    found: Calibration
    stripes: StripeChoice
    tiles: list[Tile]
    bands: list[Band]
    is_from_run: bool
    warnings: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class _Read:
    """A band of the scan, read: sinograms by normalisation and corrections, and the angles.

    Those without stripes, and moved by the shifts, are kept by what was done.
    """

    band: Band
    row: int
    angles_rad: AngleArray
    sinograms: dict[tuple[str, Corrections], Float32Array]
    shifts: Shifts = UNMOVED
    done: dict[tuple[Any, ...], Float32Array] = field(default_factory=dict)

    def of(self, plan: ScanPlan) -> Float32Array:
        """Return those that a plan's settings ask for; not to be changed."""
        return self.sinograms[_normalised_by(plan), plan.corrections]


def make_preview(
    scan: Scan,
    base: ScanPlan,
    rows: Sequence[int],
    changes: Sequence[Changes],
    with_changes: Callable[[Changes], ScanPlan],
    known: Known,
) -> Preview:
    """Reconstruct rows of a scan by its own settings and by changed ones.

    Parameters
    ----------
    scan
        An open scan.
    base
        Its plan.
    rows
        Slices of the volume.
    changes
        Of the configuration, one set a variant.
    with_changes
        Gives the plan for a set of changes.
    known
        What a run found; None for what is to be found from these rows.

    Raises
    ------
    UserError
        For rows that are none, and whatever the steps of a run refuse.
    """
    _check_rows(rows, base.header.n_rows)
    plans = [with_changes(one) for one in changes]
    reads, warnings = _read(scan, rows, [base, *plans], known.shifts)
    choice = known.stripes or _choose(reads, base)
    done = [_processed(one, base, choice) for one in reads]
    found = known.calibration or _calibrated(reads, done, base)
    effective = [_effective(one, base, found, choice) for one in changes]
    variants = [Variant(effective[0] if effective else {}, base)]
    for one, plan, own in zip(changes, plans, effective, strict=True):
        if one != own:
            variants.append(Variant(one, plan))
    with ThreadPoolExecutor(n_usable_cores()) as threads:
        measured = [
            _tile(number, one, variant.plan, found, choice, threads)
            for one in reads
            for number, variant in enumerate(variants)
        ]
        tiles = [one.result() for one in measured]
    # One row does not tell the tilt, which is no doubt about it.
    doubts = [line for line in found.warnings if len(rows) > 1 or line != NO_TILT]
    return Preview(
        plan=base,
        rows=tuple(rows),
        variants=variants,
        found=found,
        stripes=choice,
        tiles=tiles,
        bands=[one.band for one in reads],
        is_from_run=known.calibration is not None,
        warnings=tuple(dict.fromkeys((*warnings, *doubts))),
    )


def _check_rows(rows: Sequence[int], n_rows: int) -> None:
    for row in rows:
        if not 0 <= row < n_rows:
            raise UserError(f"--rows: {row} is not among the rows of the scan, 0 to {n_rows - 1}")


def _normalised_by(plan: ScanPlan) -> str:
    return plan.config.normalise.model_dump_json()


def _read(
    scan: Scan, rows: Sequence[int], plans: Sequence[ScanPlan], shifts: Shifts | None
) -> tuple[list[_Read], list[str]]:
    """Read the band of every row, once for each way to normalise it."""
    corrections = dict.fromkeys(plan.corrections for plan in plans)
    used = shifts if plans[0].is_aligned and shifts is not None else UNMOVED
    bands = bands_of(plans[0], rows, corrections, used.halo_rows)
    reads = [_Read(band, row, np.empty(0), {}, used) for band, row in zip(bands, rows, strict=True)]
    warnings = [NOT_ALIGNED] if plans[0].is_aligned and shifts is None else []
    warnings += [NOT_ITERATED] if any(plan.iterates_on_volume for plan in plans) else []
    for text in dict.fromkeys(map(_normalised_by, plans)):
        settings = NormaliseSettings.model_validate_json(text)
        wanted = {plan.corrections for plan in plans if _normalised_by(plan) == text}
        for number, one in enumerate(reads):
            look = look_around(scan, one.band, settings)
            made = read_sinograms(scan, one.band, look.references, settings, wanted)
            one.sinograms.update({(text, done): sinograms for done, sinograms in made.items()})
            reads[number] = replace(one, angles_rad=look.angles.angles_rad)
            warnings += look.warnings
    return reads, warnings


def _middle(one: _Read) -> int:
    """Return which of the rows of a band is that of the slice, or is nearest to it."""
    return int(np.clip(one.row - one.band.first, 0, one.band.stop - one.band.first - 1))


def _choose(reads: Sequence[_Read], plan: ScanPlan) -> StripeChoice:
    """Choose against stripes by the rows that are shown."""
    settings = plan.config.stripes
    if settings.method != "auto":
        return StripeChoice(settings.method, settings.method)
    places = [_middle(one) for one in reads]
    sinograms = np.stack([one.of(plan)[at] for one, at in zip(reads, places, strict=True)])
    numbers = [one.band.first + at for one, at in zip(reads, places, strict=True)]
    step = max(1, sinograms.shape[1] // _CHOOSING_ANGLES)
    looked_at = sinograms[:, ::step], numbers, reads[0].angles_rad[::step], plan.header.n_rows
    return choose_stripes(*looked_at, settings, plan.beam)


def _choice_of(plan: ScanPlan, auto: StripeChoice) -> StripeChoice:
    method = plan.config.stripes.method
    return auto if method == auto.asked else StripeChoice(method, method)  # type: ignore[arg-type]


def _processed(one: _Read, plan: ScanPlan, choice: StripeChoice) -> Float32Array:
    """Return sinograms as ``process`` makes them, once for all variants that agree on how."""
    settings = plan.config.stripes
    how = _normalised_by(plan), plan.corrections, settings.model_dump_json(), choice.method
    if how not in one.done:
        sinograms = one.of(plan).copy()
        process_rows(sinograms, one.angles_rad, settings, choice)
        one.done[how] = moved(sinograms, one.shifts, slice(None))
    return one.done[how]


def _calibrated(
    reads: Sequence[_Read], done: Sequence[Float32Array], plan: ScanPlan
) -> Calibration:
    """Calibrate by the rows that are shown."""
    n_rows = plan.header.n_rows
    # Every row that is shown is looked at as a check row of a run is.
    settings = EvidenceSettings(n_rows, n_check_rows=n_rows, beam=plan.beam)
    evidence = []
    for one, sinograms in zip(reads, done, strict=True):
        at = _middle(one)
        row = one.band.first + at
        evidence.append(gather_evidence(sinograms[at : at + 1], one.angles_rad, row, settings))
    header, given = plan.header, plan.config.calibrate
    stated_px = None if plan.beam is None else plan.beam.cor_px(header.n_cols)
    return calibrate(evidence, given, stated_px, merging=plan.merging, columns=header.columns)


def _effective(
    changes: Changes, plan: ScanPlan, found: Calibration, choice: StripeChoice
) -> Changes:
    """Return what the settings of a variant's keys are without it, found ones included."""
    values: Changes = {}
    for key in changes:
        section, name = key.split(".")
        values[key] = getattr(getattr(plan.config, section), name)
    if "calibrate.cor_px" in values:
        values["calibrate.cor_px"] = round(found.line.mid_px, 3)
    if "calibrate.tilt_deg" in values:
        values["calibrate.tilt_deg"] = round(found.tilt_deg, 4)
    if "stripes.method" in values:
        values["stripes.method"] = choice.method
    return values


def _tile(
    number: int,
    one: _Read,
    plan: ScanPlan,
    found: Calibration,
    auto: StripeChoice,
    threads: ThreadPoolExecutor,
) -> Future[Tile]:
    """Reconstruct one slice as ``process`` and ``reconstruct`` would; it is measured meanwhile."""
    choice = _choice_of(plan, auto)
    sinograms = _processed(one, plan, choice)
    calibration = with_given_axis(found, plan.config.calibrate, plan.merging) if number else found
    as_fdk = {"method": "auto"} if plan.iterates_on_volume else {}
    update = {"size_px": plan.whole_slice_px, **as_fdk}
    choices = plan.config.reconstruct.model_copy(update=update)
    choices, layout = settled(choices, plan.volume_layout, calibration)
    rows = RowsInPlace(sinograms, one.band, plan.header.n_rows)
    work = SlicesOfScan(rows, one.angles_rad, choices, calibration, layout)
    kept: list[Float32Array] = []
    work.reconstruct((one.row, one.row + 1), lambda _, values: kept.append(values[0].copy()))
    image = kept[0][::-1] if layout.orientation.flips_rows else kept[0]
    is_whole = plan.config.reconstruct.roi_px is None
    cor_px = float(calibration.cor_px(np.array([one.row]))[0])
    return threads.submit(
        lambda: Tile(
            variant=number,
            row=one.row,
            image=image,
            cor_px=cor_px,
            stripes=choice.method,
            figures=measure(image, is_whole=is_whole),
        )
    )
