"""What is said of an image: its geometry, its series, the fields of its header."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leuko.findings import Finding
from leuko.formats.nifti_described import NiftiDescription
from leuko.pipelines.information_values import Values

__all__ = ["Field", "Geometry", "Info", "Series", "Value"]

Value = str | int | float | Sequence[str | int | float]


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where the voxels lie. Lengths in mm (pixels where `sized` is False), times in s.

    `orientation` names towards what the index of each axis rises, '' where that is not known;
    `affine` maps indices to RAS mm; `slice_error_mm` is how far a slice is from where even
    spacing would put it, None where the format knows no other.
    """

    shape: tuple[int, ...]
    volumes: int
    seconds_between_volumes: float | None
    spacing_mm: tuple[float, float, float]
    extent_mm: tuple[float, float, float]
    voxel_mm3: float
    oriented: bool
    sized: bool
    orientation: str
    coordinate_system: str
    affine: tuple[tuple[float, ...], ...]
    centre_mm: tuple[float, float, float]
    shear_degrees: float
    oblique_degrees: float
    slice_error_mm: float | None
    regular: bool


@dataclass(frozen=True, slots=True)
class Series:
    """An image of a DICOM study: its key for --series, what it is, why it cannot be read."""

    key: str
    modality: str
    description: str
    kind: str
    shape: tuple[int, ...]
    spacing_mm: tuple[float, float, float] | None
    files: int
    unusable: str


@dataclass(frozen=True, slots=True)
class Field:
    """An element of a DICOM file or a field of a header; `depth` counts sequences around it."""

    depth: int
    tag: str
    vr: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Info:
    """Everything that `leuko info` prints; what does not apply is None or empty.

    `dicom` holds attributes by group (study, series, equipment, acquisition, photometric,
    annotations, and patient where asked for) and keyword. `left_out` counts files that are no
    image, by reason.
    """

    name: str
    format: str
    geometry: Geometry | None = None
    values: Values | None = None
    nifti: NiftiDescription | None = None
    dicom: Mapping[str, Mapping[str, Value]] | None = None
    series: tuple[Series, ...] = ()
    left_out: Mapping[str, int] | None = None
    findings: tuple[Finding, ...] = ()
    tags: tuple[Field, ...] = ()
