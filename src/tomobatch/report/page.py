"""The page itself, from its template."""

import platform
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup

from tomobatch.on_chunks.corrections import Corrections
from tomobatch.phase.settings import PhaseSettings
from tomobatch.records.summary import step_times
from tomobatch.report import images, pictures
from tomobatch.report.cone_picture import cone_facts, cone_picture
from tomobatch.report.content import ReportContent
from tomobatch.report.convergence import gather_convergence
from tomobatch.report.gather import STACK_PX
from tomobatch.scan.beam_words import describe_beam, describe_whole_slices
from tomobatch.tube.settings import TubeSettings
from tomobatch.units import to_grey

_SHOWN_VERSIONS = ("tomobatch", "snakemake", "numpy", "pyopencl", "zarr")


def render_page(content: ReportContent) -> str:
    """Return the report as one HTML page that needs no other file."""
    environment = Environment(
        loader=PackageLoader("tomobatch.report", "."),
        autoescape=select_autoescape(default=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(
        content=content,
        scan_facts=_scan_facts(content),
        found=_found(content),
        counts=_counts(content),
        planes=_planes(content),
        stack=_stack(content),
        comparisons=_comparisons(content),
        curves=_curves(content),
        drift=_drift(content),
        drift_caption=_drift_caption(content),
        device_caption=_device_caption(content),
        convergence_caption=_convergence_caption(content),
        cone=_cone(content),
        settings=_flat_settings(content),
        versions={name: version(name) for name in _SHOWN_VERSIONS}
        | {"python": platform.python_version()},
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def _scan_facts(content: ReportContent) -> dict[str, str]:
    header, beam = content.header, content.header.beam
    if beam is not None:
        beam = content.calibration.beam(beam)
        header = replace(header, beam=beam)
    seen = {} if beam is None else {"Seen whole": describe_whole_slices(header, beam)}
    unknown = "not in the file"
    return {
        "Scan": header.path,
        "Format": header.format,
        "Projections": f"{header.n_projections} of {header.n_cols} x {header.n_rows} px",
        "Angles": content.angles_reason,
        "Flats, darks": f"{header.flats_in_words}, {header.n_darks}",
        "Beam": describe_beam(header),
        **seen,
        "Volume": content.orientation.words,
        "Pixel size": unknown if header.pixel_size_um is None else f"{header.pixel_size_um:g} µm",
        "Energy": unknown if header.energy_kev is None else f"{header.energy_kev:g} keV",
        **_corrections(content),
    }


def _corrections(content: ReportContent) -> dict[str, str]:
    """Say what was done to line integrals, if anything was."""
    asked = content.settings
    return Corrections.of_scan(
        TubeSettings.model_validate(asked["tube"]),
        PhaseSettings.model_validate(asked["phase"]),
        content.header,
    ).words


def _cone(content: ReportContent) -> dict[str, Any] | None:
    """Return the figures and the picture of a cone beam, as it was calibrated; None if parallel."""
    header = content.header
    if header.beam is None:
        return None
    beam = content.calibration.beam(header.beam)
    # Our own drawing, free of input.
    by_fdk = gather_convergence(content.records) is None
    picture = Markup(cone_picture(header, beam, by_fdk=by_fdk))  # noqa: S704
    facts = cone_facts(header, beam, by_fdk=by_fdk)
    return {"facts": facts, "picture": picture, "by_fdk": by_fdk}


def _found(content: ReportContent) -> dict[str, str]:
    calibration, truth = content.calibration, content.header.known_axis
    line = calibration.line
    cor = f"{line.mid_px:.3f} ± {line.mid_sigma_px:.3f} px"
    if calibration.cor_source == "given":
        cor = f"{line.mid_px:.3f} px, given"
    tilt = f"{calibration.tilt_deg:.4f}°"
    if calibration.tilt_source == "given":
        tilt += ", given"
    elif calibration.tilt_sigma_deg is not None:
        tilt = f"{calibration.tilt_deg:.4f} ± {calibration.tilt_sigma_deg:.4f}°"
    if truth is not None:
        cor += f" (true: {truth.cor_px:.3f})"
        tilt += f" (true: {truth.tilt_deg:.4f})"
    low, high = content.grey_window
    window = f"{low:.4g} to {high:.4g} {content.grey_unit}"
    if calibration.grey_source == "given":
        window += ", given"
    n_used = sum(row.is_used for row in calibration.rows)
    methods = ", ".join(
        f"{name} {result.cor_px:.2f}" for name, result in calibration.methods.items()
    )
    aligned = {"Alignment": calibration.shifts.words} if calibration.shifts.how else {}
    row = calibration.source_row
    seen = {} if row is None else {"Source's row": row.words}
    return {
        "Centre of rotation, middle row": cor,
        "Tilt": tilt,
        **seen,
        "Found by": calibration.method or "no method",
        "All methods": methods or "none",
        "Rows used, rejected": f"{n_used}, {len(calibration.rows) - n_used}",
        "Grey window": window,
        **aligned,
    }


def _counts(content: ReportContent) -> dict[str, int]:
    references = content.references.counts
    return {
        "Bad pixels, replaced in every projection": references.bad_pixels,
        "of them dead": references.dead,
        "of them hot": references.hot,
        "of them noisy": references.noisy,
        "Zingers in flats and darks": references.zingers,
        "Zingers in projections": content.total("zingers"),
        "Saturated readings": content.total("saturated"),
        "Transmissions clipped": content.total("clipped"),
    }


def _planes(content: ReportContent) -> list[dict[str, str]]:
    window = content.grey_window
    titles = {"xy": "xy: a slice", "xz": "xz, along the axis", "yz": "yz, along the axis"}
    return [
        {"title": titles[name], "uri": images.data_uri(images.image_png(image, window))}
        for name, image in content.planes.items()
    ]


def _stack(content: ReportContent) -> list[tuple[int, str]]:
    return [
        (
            number,
            images.data_uri(images.image_jpeg(image, content.grey_window, STACK_PX), "jpeg"),
        )
        for number, image in content.stack
    ]


def _comparisons(content: ReportContent) -> list[dict[str, str]]:
    shown = content.corrections
    retrieval = []
    if shown.retrieval is not None:
        before, after = shown.retrieval
        retrieval = [
            ("Its middle before phase retrieval", before, before),
            ("The same after", after, before),
        ]
    pairs = [
        ("A projection as measured", shown.raw, shown.raw),
        ("The same in line integrals", shown.line_integrals, shown.line_integrals),
        *retrieval,
        ("A sinogram before stripe removal", shown.sinogram_before, shown.sinogram_before),
        # In the grey window of the one before, so that only the stripes differ.
        ("The same after", shown.sinogram_after, shown.sinogram_before),
    ]
    shown_images = [
        (title, images.image_png(image, images.percentile_window(like)))
        for title, image, like in pairs
    ]
    return [{"title": title, "uri": images.data_uri(png)} for title, png in shown_images]


def _drift(content: ReportContent) -> str | None:
    drift = content.references.drift
    if len(drift.intensities) == 1:
        return None
    return images.data_uri(pictures.drift_map(drift.map))


def _drift_caption(content: ReportContent) -> str:
    drift = content.references.drift
    means = ", ".join(f"{value:.5g}" for value in drift.intensities)
    return f"Mean counts by series of flats: {means}; a change of {100 * drift.change:+.2f} %"


def _curves(content: ReportContent) -> dict[str, Markup]:
    calibration, histogram = content.calibration, content.calibration.histogram
    drawn = {
        "cor": pictures.cor_curve(calibration),
        "steps": pictures.step_bars(step_times(content.records)),
    }
    job = _typical_reconstruction(content)
    if job is not None:
        drawn["device"] = pictures.device_timeline(job["timeline"])
    convergence = gather_convergence(content.records)
    if convergence is not None:
        drawn["convergence"] = pictures.convergence_curve(convergence)
    if histogram is not None:
        edges = to_grey(histogram.edges, content.header.pixel_size_um)
        drawn["histogram"] = pictures.grey_histogram(
            edges, histogram.counts, content.grey_window, content.grey_unit
        )
    # Our own drawings, free of input: they go into the page as they are.
    return {name: Markup(svg) for name, svg in drawn.items()}  # noqa: S704


def _typical_reconstruction(content: ReportContent) -> dict[str, Any] | None:
    """Return the record of the reconstruct job whose time is the median."""
    jobs = [record for record in content.records if "timeline" in record]
    jobs.sort(key=lambda record: float(record["wall_s"]))
    return jobs[len(jobs) // 2] if jobs else None


def _device_caption(content: ReportContent) -> str:
    job = _typical_reconstruction(content)
    if job is None:
        return ""
    timeline = job["timeline"]
    devices = ", ".join(timeline["devices"])
    share = f"{timeline['compute_fraction']:.0%} of the time computing"
    return f"Chunk {job['chunk']} on {devices}: {timeline['method']}; {share}"


def _convergence_caption(content: ReportContent) -> str:
    found = gather_convergence(content.records)
    if found is None:
        return ""
    n = " to ".join(str(count) for count in dict.fromkeys(found.iterations))
    method = content.settings["reconstruct"]["method"]
    return (
        f"{method}, {n} iterations: {found.residuals[1, -1]:.3g} of the projections is left in the"
        f" median slice, their noise alone is {found.noise:.3g}"
    )


def _flat_settings(content: ReportContent) -> dict[str, str]:
    """Return every setting by its full name; what only some scans need is left out where unset."""
    return {
        name: "not given" if value is None else str(value)
        for section, values in content.settings.items()
        if isinstance(values, dict)
        for name, value in _flattened(section, values)
        if not (section == "datasets" and value is None)
    }


def _flattened(section: str, values: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _flattened(f"{section}.{key}", value)
        else:
            yield f"{section}.{key}", value
