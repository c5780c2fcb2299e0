"""The beam of a scan: parallel, or a cone from a small source.

One frame is fixed to the specimen: z runs along the rotation axis, in the direction
in which the rows of the detector count. At the angle b a cone's source is at
``D (sin b, -cos b, 0)``, columns count along ``(cos b, sin b, 0)`` and the beam travels along
``(-sin b, cos b, 0)``. A point (x, y, z) is seen at

    s = x cos b + y sin b,   w = D + y cos b - x sin b
    column = principal column + F / pixel * (s + a) / w
    row    = principal row    + F / pixel * z / w

where D is the distance from the source to the axis, F that to the detector and a the offset of the
axis; a parallel beam is the limit of a distant source, and its column is ``s + cor``.

Decision 100.
"""

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tomobatch.arrays import Float64Array
from tomobatch.errors import UserError

_UM_A_MM = 1e3
VOXEL_TOLERANCE = 2e-3
"""Share by which a stated voxel may differ from the pixel over the magnification."""


@dataclass(frozen=True)
class ConeBeam:
    """A cone beam on a flat detector, and every way in which the two are not where they should be.

    The principal point is where the normal of the ideal detector, which is parallel to the rotation
    axis, comes from the source; the detector is turned about it: first by its roll about that
    normal, then by its tilt about the columns' direction, then by its slant about the axis'.

    Attributes
    ----------
    source_to_axis_mm, source_to_detector_mm
        D and F.
    pixel_mm, row_pitch_mm
        Pitch of the detector's columns, and of its rows.
    shift_u_px, shift_v_px
        The principal point from the middle of the detector, in columns and in rows.
    axis_shift_px
        Where the axis is seen in the source's plane, in columns from the principal point.
    roll_deg
        From the direction in which rows count to the rotation axis, as seen on the detector: a
        positive roll moves the image of the axis towards higher columns from one row to the next.
    tilt_deg
        A positive tilt moves the last rows away from the source.
    slant_deg
        A positive slant moves the last columns away from the source.
    sense
        1 where the angles of the scan are those of this frame, in which the sample turns clockwise
        seen from the first row's side; -1 where they count the other way.
    drift_px
        How much further than ``shift_u_px`` and ``shift_v_px`` the principal point lies at each
        angle, (u, v) pairs; empty where it stays.
    """

    source_to_axis_mm: float
    source_to_detector_mm: float
    pixel_mm: float
    row_pitch_mm: float
    shift_u_px: float = 0.0
    shift_v_px: float = 0.0
    axis_shift_px: float = 0.0
    roll_deg: float = 0.0
    tilt_deg: float = 0.0
    slant_deg: float = 0.0
    sense: Literal[1, -1] = 1
    drift_px: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        lengths = {
            "source to axis": self.source_to_axis_mm,
            "source to detector": self.source_to_detector_mm,
            "pixel": self.pixel_mm,
            "row pitch": self.row_pitch_mm,
        }
        for name, value in lengths.items():
            if not (math.isfinite(value) and value > 0):
                raise UserError(f"cone beam: {name} is {value:g} mm; a positive length is needed")
        if self.source_to_detector_mm <= self.source_to_axis_mm:
            raise UserError(
                f"cone beam: the detector, {self.source_to_detector_mm:g} mm from the source, is"
                f" not behind the axis, {self.source_to_axis_mm:g} mm from it; are they exchanged?"
            )

    @property
    def magnification(self) -> float:
        """How much larger the axis is seen than it is, F / D."""
        return self.source_to_detector_mm / self.source_to_axis_mm

    @property
    def voxel_um(self) -> float:
        """What a column of the detector covers on the axis, in the source's plane."""
        return _UM_A_MM * self.pixel_mm / self.magnification

    @property
    def slice_pitch_um(self) -> float:
        """What a row of the detector covers on the axis: the distance of slices."""
        return _UM_A_MM * self.row_pitch_mm / self.magnification

    @property
    def source_voxels(self) -> float:
        """Distance from the source to the axis in voxels; F in pixels is the same number."""
        return self.source_to_detector_mm / self.pixel_mm

    @property
    def is_turned(self) -> bool:
        """Whether the detector is not parallel to the axis, so that its rows are resampled."""
        return any((self.roll_deg, self.tilt_deg, self.slant_deg))

    def principal_px(self, n_rows: int, n_cols: int) -> tuple[float, float]:
        """Return the column and row of the principal point; pixel centres are whole numbers."""
        return (n_cols - 1) / 2 + self.shift_u_px, (n_rows - 1) / 2 + self.shift_v_px

    def cor_px(self, n_cols: int) -> float:
        """Return the column where the axis is seen in the source's plane."""
        return (n_cols - 1) / 2 + self.shift_u_px + self.axis_shift_px

    def half_cone_deg(self, n_rows: int) -> float:
        """Return the steepest angle between a ray and the source's plane."""
        farthest = (n_rows - 1) / 2 + abs(self.shift_v_px)
        return math.degrees(math.atan(farthest * self.row_pitch_mm / self.source_to_detector_mm))

    def half_fan_rad(self, n_cols: int) -> float:
        """Return the widest angle between a ray of the source's plane and the one to the axis."""
        middle = self.shift_u_px + self.axis_shift_px
        farthest = (n_cols - 1) / 2 + abs(middle)
        return math.atan(farthest * self.pixel_mm / self.source_to_detector_mm)

    def whole_slices(self, n_rows: int, n_cols: int) -> tuple[int, int]:
        """Return the slices [start, stop) whose every part within the fan is seen at all angles.

        Slice k lies where row k sees the axis; nearer to the source, the detector ends sooner.
        """
        _, plane = self.principal_px(n_rows, n_cols)
        reach = self.source_voxels * math.sin(self.half_fan_rad(n_cols))
        nearer = 1 - reach / self.source_voxels
        start = math.ceil(plane - plane * nearer - 1e-9)
        stop = math.floor(plane + (n_rows - 1 - plane) * nearer + 1e-9) + 1
        return max(0, start), min(n_rows, max(start, stop))

    def drifts(self, n_angles: int) -> Float64Array:
        """Return how far the principal point moves at each angle, (angle, 2) of u and v."""
        if not self.drift_px:
            return np.zeros((n_angles, 2))
        if len(self.drift_px) != n_angles:
            raise UserError(
                f"cone beam: {len(self.drift_px)} shifts of the detector for {n_angles} projections"
            )
        return np.asarray(self.drift_px, dtype=np.float64)

    def rotation(self) -> Float64Array:
        """Return the detector's turn, (3, 3), columns being its u, v and normal in ideal ones."""
        roll, tilt, slant = np.deg2rad((self.roll_deg, self.tilt_deg, self.slant_deg))
        about_normal = np.array(
            [[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]]
        )
        about_u = np.array(
            [[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]]
        )
        about_v = np.array(
            [[np.cos(slant), 0, -np.sin(slant)], [0, 1, 0], [np.sin(slant), 0, np.cos(slant)]]
        )
        return np.asarray(about_v @ about_u @ about_normal)

    def on_detector(
        self, u_px: npt.ArrayLike, v_px: npt.ArrayLike
    ) -> tuple[Float64Array, Float64Array]:
        """Return where the ray to a point of the ideal detector meets the real one.

        Both in columns and rows from the principal point.
        """
        u = np.asarray(u_px, dtype=np.float64) * self.pixel_mm
        v = np.asarray(v_px, dtype=np.float64) * self.row_pitch_mm
        # The ray through (u, v, F) meets the plane through (0, 0, F) with the turned normal.
        along_u, along_v, normal = self.rotation().T
        distance = self.source_to_detector_mm
        scale = normal[2] * distance / (normal[0] * u + normal[1] * v + normal[2] * distance)
        point = np.stack([scale * u, scale * v, (scale - 1) * distance], axis=-1)
        return point @ along_u / self.pixel_mm, point @ along_v / self.row_pitch_mm

    def with_axis(self, cor_px: float, n_cols: int) -> "ConeBeam":
        """Return the beam whose axis is seen at this column in the source's plane."""
        return replace(self, axis_shift_px=cor_px - (n_cols - 1) / 2 - self.shift_u_px)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {"kind": "cone", **vars(self), "drift_px": [list(pair) for pair in self.drift_px]}


def cone_beam_from_dict(values: dict[str, Any]) -> ConeBeam:
    """Return the beam that ``ConeBeam.to_dict`` wrote."""
    known = {name: value for name, value in values.items() if name != "kind"}
    known["drift_px"] = tuple((float(u), float(v)) for u, v in known.get("drift_px", ()))
    return ConeBeam(**known)


def check_voxel(beam: ConeBeam, stated_um: float, where: str) -> None:
    """Refuse a stated voxel that is not the pixel over the magnification.

    Raises
    ------
    UserError
        They differ by more than ``VOXEL_TOLERANCE``; the text holds both.
    """
    if abs(beam.voxel_um / stated_um - 1) > VOXEL_TOLERANCE:
        raise UserError(
            f"{where}: a voxel of {stated_um:g} um is stated, but a pixel of"
            f" {_UM_A_MM * beam.pixel_mm:g} um at {beam.source_to_detector_mm:g} mm, seen on the"
            f" axis at {beam.source_to_axis_mm:g} mm, makes {beam.voxel_um:g} um;"
            " give the right distances or pixel as datasets.cone"
        )
