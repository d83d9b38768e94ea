"""What a DICOM study is: its series, its attributes, the image in it where it is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from leuko.errors import LeukoError, ReadError
from leuko.findings import Finding, Severity
from leuko.formats.byte_source import ByteSource
from leuko.formats.detect import HEAD_BYTES, recognise
from leuko.pipelines.information_content import Field, Geometry, Info, Series, Value
from leuko.pipelines.information_geometry import geometry_of
from leuko.pipelines.information_values import Values, values_of

if TYPE_CHECKING:
    from leuko.dicom.study import Stack, Study

__all__ = ["info_of_dicom", "shown_name"]


def shown_name(path: Path) -> str:
    """What a message calls `path`: a file by its name, a folder never."""
    return "The folder" if path.is_dir() else path.name


def info_of_dicom(path: Path, *, series: str, patient: bool, tags: bool) -> Info:
    """What a DICOM file or the study in a folder is; arguments and errors as in `info`."""
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
        raise ReadError(f"{shown_name(path)} holds no DICOM image.", hint="Is it the right folder?")
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
    return (
        geometry_of(image, slice_error=_slice_error(stack)),
        values_of(image.data),
        image.findings,
    )


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
    raise ReadError(f"{shown_name(path)} holds no DICOM file.", hint="Is it the right folder?")


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
