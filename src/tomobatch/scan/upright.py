"""The pictures of a scan without the detector's distortion, and with its rotation axis upright."""

from dataclasses import replace

from tomobatch.errors import UserError
from tomobatch.scan.cone import FoundCone
from tomobatch.scan.distortion import UndistortedFrames, checked
from tomobatch.scan.parts import ScanParts
from tomobatch.scan.settings import DatasetSettings
from tomobatch.scan.views import Turn, TurnedFrames


def with_upright_axis(path: str, parts: ScanParts, datasets: DatasetSettings) -> ScanParts:
    """Return the parts as optics without distortion and an upright detector would have given them.

    Raises
    ------
    UserError
        If there are no projections, or for a distortion that no lens has.
    """
    if 0 in parts.projections.shape:
        raise UserError(f"{path}: {parts.projections.name} holds no projections")
    distortion, turn = datasets.distortion, datasets.quarter_turn
    if distortion.coefficients:
        note = checked(path, distortion, parts.projections.shape[1:])
        parts = parts.seen(lambda frames: UndistortedFrames(frames, distortion))
        parts = replace(parts, notes=(*parts.notes, note))
    if turn is None:
        return parts
    turned = parts.seen(lambda frames: TurnedFrames(frames, turn))
    # What the file says of the sense and of a known axis, it says of pictures with an upright one.
    return replace(
        turned,
        cone=parts.cone and _turned(parts.cone, turn),
        rotation=None,
        known_axis=None,
        notes=(*parts.notes, f"pictures are turned by 90 degrees {turn}, as the config says"),
    )


def _turned(cone: FoundCone, turn: Turn) -> FoundCone:
    """Return a cone whose rows are columns now; what is said of its axis stays."""
    sign = -1 if turn == "clockwise" else 1
    return replace(
        cone,
        pixel_mm=cone.row_pitch_mm or cone.pixel_mm,
        row_pitch_mm=cone.row_pitch_mm and cone.pixel_mm,
        shift_u_px=sign * cone.shift_v_px,
        shift_v_px=-sign * cone.shift_u_px,
        drift_px=tuple((sign * v, -sign * u) for u, v in cone.drift_px),
    )
