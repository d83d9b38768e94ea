"""What an image is: geometry, values, and what its header says, for people and as JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from leuko.errors import LeukoError, ReadError, UsageError
from leuko.findings import Finding, Severity
from leuko.formats.archive import is_archive, unpacked
from leuko.formats.byte_source import ByteSource
from leuko.formats.detect import HEAD_BYTES, recognise
from leuko.formats.folder import choose
from leuko.formats.geometry import shear_degrees
from leuko.formats.nifti_described import NiftiDescription, describe_nifti, nifti_fields
from leuko.formats.read import read
from leuko.formats.registry import FORMATS
from leuko.image.image import Image
from leuko.pipelines.information_values import Values, values_of

if TYPE_CHECKING:
    from leuko.dicom.study import Stack, Study

__all__ = ["SCHEMA", "Field", "Geometry", "Info", "Series", "as_json", "info"]

SCHEMA = 1
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


def info(
    path: str | os.PathLike[str], *, series: str = "", patient: bool = False, tags: bool = False
) -> Info:
    """What the image, the DICOM study, or the one image in a folder or archive at `path` is.

    `series` names one series of a study, `patient` shows attributes that identify, `tags` lists
    every element. Nothing is refused: why an image cannot be read stands in the findings. Raises
    ReadError (exit 3) where there is no image at all, UsageError (exit 2) where several files
    could be meant.
    """
    given = Path(path)
    if given.is_dir() or is_archive(given):
        with unpacked(given) as folder:
            chosen = choose(folder, series=series, name=_shown(given))
            found = _info(chosen, chosen == folder, series=series, patient=patient, tags=tags)
            return replace(found, name=given.name) if chosen == folder else found
    with ByteSource(given) as source:
        dicom = recognise(source.peek(HEAD_BYTES)) == "dicom"
    return _info(given, dicom, series=series, patient=patient, tags=tags)


def _shown(path: Path) -> str:
    """What a message calls `path`: a file by its name, a folder never."""
    return "The folder" if path.is_dir() else path.name


def as_json(found: Info) -> str:
    """An Info as JSON, with the number of its schema first."""
    content = {"schema": SCHEMA} | asdict(found)
    return json.dumps(content, indent=2, default=str) + "\n"


def _info(path: Path, dicom: bool, *, series: str, patient: bool, tags: bool) -> Info:
    if dicom:
        return _of_dicom(path, series=series, patient=patient, tags=tags)
    if series:
        raise UsageError(
            f"{path.name} is one image, not a DICOM study with several series.",
            hint="Leave out --series.",
        )
    image = read(path)
    kind = image.source.format if image.source else ""
    header = image.source.header if image.source and kind.startswith("nifti") else b""
    record = FORMATS.get(kind)
    return Info(
        name=path.name,
        format=record.title.split(" ", 1)[1] if record else kind,
        geometry=_geometry(image, slice_error=None),
        values=values_of(image.data),
        nifti=describe_nifti(header, name=path.name) if header else None,
        findings=image.findings,
        tags=_nifti_tags(header, path.name, patient) if tags and header else (),
    )


def _nifti_tags(header: bytes, name: str, patient: bool) -> tuple[Field, ...]:
    listed = nifti_fields(header, name=name, texts=patient)
    return tuple(Field(0, "", kind, field, value) for field, kind, value in listed)


# ---------------------------------------------------------------- geometry


def _geometry(image: Image, *, slice_error: float | None) -> Geometry:
    grid = image.grid
    spacing = grid.spacing
    shear = shear_degrees(grid)
    middle = grid.to_world([(n - 1) / 2 for n in grid.shape])
    extent = [round(n * step, 4) for n, step in zip(grid.shape, spacing, strict=True)]
    unit = "mm" if grid.sized else "pixels"
    return Geometry(
        shape=tuple(int(n) for n in image.data.shape),
        volumes=image.volumes,
        seconds_between_volumes=image.seconds,
        spacing_mm=spacing,
        extent_mm=(extent[0], extent[1], extent[2]),
        voxel_mm3=grid.voxel_mm3,
        oriented=grid.oriented,
        sized=grid.sized,
        orientation=grid.orientation.code if grid.oriented else "",
        coordinate_system=f"RAS+ {unit}" if grid.oriented else f"array axes, {unit}",
        affine=tuple(tuple(float(v) + 0.0 for v in row) for row in grid.affine),
        centre_mm=(float(middle[0]), float(middle[1]), float(middle[2])),
        shear_degrees=round(shear, 4),
        oblique_degrees=_oblique(grid.affine[:3, :3]),
        slice_error_mm=slice_error,
        regular=shear <= 0.1 and (slice_error or 0.0) <= 0.1,
    )


def _oblique(matrix: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    """The largest angle between an array axis and the axis of the body next to it, in degrees."""
    cosines = np.abs(matrix / np.linalg.norm(matrix, axis=0)).max(axis=0)
    return round(float(np.degrees(np.arccos(np.clip(cosines.min(), 0, 1)))), 2)


# ---------------------------------------------------------------- DICOM


def _of_dicom(path: Path, *, series: str, patient: bool, tags: bool) -> Info:
    from leuko.dicom.identity import tolerant

    with tolerant():
        return _study(path, series=series, patient=patient, tags=tags)


def _study(path: Path, *, series: str, patient: bool, tags: bool) -> Info:
    from leuko.dicom.attributes_listed import elements
    from leuko.dicom.attributes_shown import described, header_of, screened
    from leuko.dicom.files import scan
    from leuko.dicom.select import matching

    study = scan(path)
    stacks = matching(study, series) if series else list(study.stacks)
    source = stacks[0].instance.path if stacks else _first_file(path)
    header = header_of(source)
    if not stacks and not len(header):
        raise ReadError(f"{_shown(path)} holds no DICOM image.", hint="Is it the right folder?")
    shown = described(header, patient=patient)
    single = _single(stacks)
    geometry, values, findings = _pixels(single) if single else (None, None, ())
    if single is None and len({stack.series_uid for stack in stacks}) > 1:
        shown = {
            group: shown[group] for group in ("patient", "study", "equipment") if group in shown
        }
    return Info(
        name=path.name,
        format="DICOM",
        geometry=geometry,
        values=values,
        dicom=shown,
        series=tuple(
            _series(stack, stack.description if patient else screened(header, stack.description))
            for stack in stacks
        ),
        left_out=_counted(study),
        findings=(*study.findings, *findings, *_may_identify(shown)),
        tags=tuple(
            Field(item.depth, item.tag, item.vr, item.name, item.value)
            for item in (elements(source, patient=patient) if tags else ())
        ),
    )


def _single(stacks: Sequence[Stack]) -> Stack | None:
    """The stack to look into: the only one, or the only one that can be read."""
    usable = [stack for stack in stacks if not stack.usable]
    if len(usable) == 1:
        return usable[0]
    return stacks[0] if len(stacks) == 1 else None


def _pixels(stack: Stack) -> tuple[Geometry | None, Values | None, tuple[Finding, ...]]:
    from leuko.dicom.image import load

    try:
        image = load(stack)
    except LeukoError as error:
        refusal = Finding("dicom.unreadable", Severity.REFUSAL, error.what, error.hint)
        return None, None, (*stack.findings, refusal)
    return _geometry(image, slice_error=_slice_error(stack)), values_of(image.data), image.findings


def _slice_error(stack: Stack) -> float | None:
    """How far a slice of the first volume lies from where even spacing would put it, in mm."""
    places = [frame.position for frame in stack.frames[: stack.layout.slices]]
    if len(places) < 3 or any(place is None for place in places):
        return None
    points = np.array(places, dtype=np.float64)
    even = np.linspace(points[0], points[-1], len(points))
    return round(float(np.linalg.norm(points - even, axis=1).max()), 4)


def _series(stack: Stack, description: str) -> Series:
    return Series(
        key=stack.key,
        modality=stack.modality,
        description=description,
        kind=stack.kind,
        shape=stack.shape,
        spacing_mm=_rounded(stack.spacing),
        files=len(stack.instances),
        unusable=stack.usable,
    )


def _rounded(
    spacing: tuple[float, float, float] | None,
) -> tuple[float, float, float] | None:
    if spacing is None:
        return None
    return round(spacing[0], 4), round(spacing[1], 4), round(spacing[2], 4)


def _counted(study: Study) -> dict[str, int]:
    counts: dict[str, int] = {}
    for item in study.skipped:
        counts[item.reason] = counts.get(item.reason, 0) + 1
    return counts


def _first_file(path: Path) -> Path:
    if path.is_file():
        return path
    for file in sorted(path.rglob("*")):
        if file.is_file():
            with ByteSource(file) as source:
                if recognise(source.peek(HEAD_BYTES)) == "dicom":
                    return file
    raise ReadError(f"{_shown(path)} holds no DICOM file.", hint="Is it the right folder?")


def _may_identify(shown: Mapping[str, Mapping[str, Value]]) -> tuple[Finding, ...]:
    marks = shown.get("annotations", {})
    found = []
    if reason := marks.get("PictureMayIdentify"):
        found.append(
            Finding(
                "dicom.burned_in",
                Severity.WARNING,
                f"The picture itself may say who the patient is: {reason}.",
                "Look at it before you share it; leuko deidentify --blank blackens a rectangle.",
            )
        )
    if overlays := marks.get("Overlays"):
        count = len(overlays) if isinstance(overlays, (list, tuple)) else 1
        found.append(
            Finding(
                "dicom.overlays",
                Severity.NOTE,
                f"The image has {count} overlay{'s' * (count > 1)}, which are not read.",
            )
        )
    return tuple(found)
