"""From the frames of a series to stacks: one geometry and one content each.

What differs between two frames of one place is either another image (echo, component, image type)
or another volume of the same (time, diffusion weighting). Geometry decides where it can: a value
that changes from slice to slice, such as a jittered echo time, is no dimension.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence

import numpy as np

from leuko.dicom.dimensions import by_dimension
from leuko.dicom.duplicates import without_duplicates
from leuko.dicom.frame import Frame, Vector
from leuko.dicom.geometry import (
    Unusable,
    affine_of,
    angle_between,
    normal_of,
    plane_of,
    slices_of,
)
from leuko.dicom.keys import Draft, with_keys
from leuko.dicom.kinds import kind_of, map_of
from leuko.dicom.study import Layout, Stack
from leuko.dicom.volumes import seconds_between, volumes_of
from leuko.findings import Finding, Severity

__all__ = ["stacks_of"]

SAME_DIRECTION = 2e-3  # of direction cosines: rounding, not another plane
Key = Callable[[Frame], Hashable]


def stacks_of(frames: Iterable[Frame]) -> tuple[Stack, ...]:
    """All stacks, ordered by series number, with their keys."""
    drafts: list[Draft] = []
    for series in _series(frames):
        groups = []
        for part in _by_content(series):
            groups += [part] if _half_placed(part) else _by_direction(part)
        planes = len(_directions(series))
        parts = [part for group in groups for part in by_dimension(group)]
        drafts += [_draft(part, planes=planes) for part in parts]
    return with_keys(drafts)


def _series(frames: Iterable[Frame]) -> list[list[Frame]]:
    """Frames by Series Instance UID; series of one slice each that belong together are joined.

    A UID that two patients, studies, or frames of reference share is not one series.
    """
    by_file: dict[int, list[Frame]] = defaultdict(list)
    for frame in frames:
        by_file[id(frame.instance)].append(frame)
    series: dict[Hashable, list[Frame]] = defaultdict(list)
    for group in by_file.values():
        instance = group[0].instance
        key = (instance.series_uid, instance.study_uid, instance.patient, instance.modality,
               instance.series_number, instance.frame_of_reference)  # fmt: skip
        series[key] += group
    joined: dict[Hashable, list[list[Frame]]] = defaultdict(list)
    whole: list[list[Frame]] = []
    for group in series.values():
        single = len({frame.position for frame in group}) == 1 and group[0].tile < 0
        first = group[0]
        if not (single and first.position and first.instance.series_number):
            whole.append(group)
            continue
        joined[_fellowship(first)].append(group)
    whole += [[frame for group in groups for frame in group] for groups in joined.values()]
    return whole


def _fellowship(frame: Frame) -> Hashable:
    """What slices share that one scanner wrote as series of one slice each."""
    instance = frame.instance
    return (
        instance.study_uid, instance.patient, instance.modality, instance.series_number,
        instance.description, instance.protocol, instance.series_time, instance.frame_of_reference,
        frame.image_type,
    )  # fmt: skip


def _by_content(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Frames that can lie in one array and show one thing."""
    groups: dict[Hashable, list[Frame]] = defaultdict(list)
    known: dict[Hashable, list[Frame]] = {}  # equal values are often the same objects
    for frame in frames:
        same = (
            id(frame.instance), id(frame.spacing), id(frame.image_type), frame.component,
            frame.rows, frame.columns,
        )  # fmt: skip
        group = known.get(same)
        if group is None:
            group = known[same] = groups[_content(frame)]
        group.append(frame)
    return list(groups.values())


def _content(frame: Frame) -> Hashable:
    """What frames of one array have in common."""
    instance = frame.instance
    spacing = frame.spacing and tuple(float(f"{value:.4g}") for value in frame.spacing)
    return (
        frame.rows, frame.columns, spacing, instance.samples > 1,
        instance.photometric.startswith("PALETTE"), frame.image_type[:2], frame.component,
        map_of(frame.image_type), instance.sop_class, "LOCALIZER" in frame.image_type,
    )  # fmt: skip


def _directions(frames: Iterable[Frame]) -> list[tuple[Vector, Vector]]:
    found: list[tuple[Vector, Vector]] = []
    for orientation in dict.fromkeys(frame.orientation for frame in frames):
        if orientation and not any(angle_between(orientation, f) < 0.2 for f in found):
            found.append(orientation)
    return found


def _by_direction(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Frames of one orientation each."""
    groups: list[tuple[tuple[Vector, Vector] | None, list[Frame]]] = []
    known: dict[tuple[Vector, Vector] | None, list[Frame]] = {}
    for frame in frames:
        lines = frame.orientation
        if lines not in known:
            for reference, group in groups:
                if lines and reference and angle_between(lines, reference) <= SAME_DIRECTION:
                    known[lines] = group
                    break
            else:
                known[lines] = []
                groups.append((lines, known[lines]))
        known[lines].append(frame)
    return [group for _, group in groups]


def _draft(frames: list[Frame], *, planes: int) -> Draft:
    """One stack without its key; frames that make no image keep their reason."""
    kind = kind_of(frames, planes=planes)
    findings = list(_joined(frames))
    try:
        _require_accepted(frames)
        if frames[0].position is None or frames[0].orientation is None:
            frames, layout = _without_place(frames)
        else:
            frames, layout = _in_space(frames, frames[0].orientation, findings)
    except Unusable as error:
        layout = Layout(len(frames), 1, None)
        return Draft(tuple(frames), layout, kind, error.what, error.hint, tuple(findings))
    return Draft(tuple(frames), layout, kind, "", "", tuple(findings))


def _require_accepted(frames: Sequence[Frame]) -> None:
    if _half_placed(frames):
        count = sum(not _placed(frame) for frame in frames)
        raise Unusable(
            f"{count} of its {len(frames)} images do not say where they lie.",
            hint="Export the series again as the scanner wrote it.",
        )
    refused = next((frame for frame in frames if frame.refusal), None)
    if refused:
        raise Unusable(refused.refusal, hint=refused.refusal_hint)


def _half_placed(frames: Sequence[Frame]) -> bool:
    """Whether some frames say where they lie, and others of their kind do not."""
    return 0 < sum(_placed(frame) for frame in frames) < len(frames)


def _placed(frame: Frame) -> bool:
    return frame.position is not None and frame.orientation is not None


def _joined(frames: Sequence[Frame]) -> tuple[Finding, ...]:
    count = len({frame.instance.series_uid for frame in frames})
    if count == 1:
        return ()
    return (
        Finding(
            "dicom.series_joined",
            Severity.WARNING,
            f"{count} series of one slice each were joined, since they share their number, time "
            "and description.",
            "Some scanners give each slice a series of its own; look at the result.",
        ),
    )


def _without_place(frames: list[Frame]) -> tuple[list[Frame], Layout]:
    """Frames that do not say where they lie: a picture, or the frames of one file."""
    first = frames[0]
    if len(frames) > 1 and len({id(frame.instance) for frame in frames}) > 1:
        raise Unusable(
            f"Its {len(frames)} images do not say where they lie in the body.",
            hint="Give one of the files alone to read it as a picture.",
            code="no_position",
        )
    spacing = first.spacing or (1.0, 1.0)
    affine = np.diag([spacing[1], spacing[0], first.thickness or 1.0, 1.0])
    layout = Layout(1, len(frames), affine, sized=first.spacing is not None, oriented=False)
    return sorted(frames, key=lambda frame: frame.nth), layout


def _in_space(
    frames: list[Frame], orientation: tuple[Vector, Vector], findings: list[Finding]
) -> tuple[list[Frame], Layout]:
    normal = normal_of(orientation)
    slices, found = without_duplicates(slices_of(frames, normal))
    findings += found
    if len(slices) == 1 and len(slices[0]) > 1:
        _require_time(slices[0])
    volumes, found = volumes_of(slices)
    findings += found
    if frames[0].spacing is None:
        raise Unusable(
            "It does not say how large a pixel is.",
            hint="Export the series again.",
        )
    affine, found = affine_of(volumes, orientation)
    findings += found
    layout = Layout(len(slices), len(volumes), affine, seconds=seconds_between(volumes))
    return [frame for volume in volumes for frame in volume], layout


def _require_time(frames: Sequence[Frame]) -> None:
    """One position with several images is a series in time only where a header says so."""
    first = frames[0]
    marks: tuple[Key, ...] = (
        lambda frame: frame.temporal,
        lambda frame: frame.trigger,
        lambda frame: frame.time,
        lambda frame: (frame.b_value, frame.direction),
        lambda frame: frame.nth,
    )
    if any(len({mark(frame) for frame in frames}) == len(frames) for mark in marks):
        return
    raise Unusable(
        f"Its {len(frames)} images lie at one position (spacing 0): no volume.",
        hint=f"Give one of the files alone to read the slice ({plane_of(first.orientation)})."
        if first.orientation
        else "",
    )
