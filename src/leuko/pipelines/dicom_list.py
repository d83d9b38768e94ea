"""The series of a study as a table: what each shows, and which is the FLAIR and which the T1."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from leuko.errors import LeukoError, ReadError
from leuko.findings import Finding

if TYPE_CHECKING:
    from leuko.dicom.choose import Reason
    from leuko.dicom.study import Stack, Study

__all__ = ["SeriesList", "SeriesRow", "list_series"]


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """One image of a study. Sizes are columns, rows, slices; spacing in mm; times in ms.

    `role` is 'flair', 't1' or empty, `why` says why; `refused` says why the image cannot be read.
    """

    key: str
    series_number: int
    description: str
    modality: str
    kind: str
    size: tuple[int, int, int]
    volumes: int
    spacing_mm: tuple[float, float, float] | None
    echo_time_ms: float | None
    repetition_time_ms: float | None
    inversion_time_ms: float | None
    files: int
    manufacturer: str
    refused: str
    role: str
    why: str


@dataclass(frozen=True, slots=True)
class SeriesList:
    """The rows in the order of series numbers, files that are no image by reason, findings.

    `undecided` says why no FLAIR would be chosen; it is empty where one would.
    """

    series: tuple[SeriesRow, ...]
    skipped: dict[str, int]
    findings: tuple[Finding, ...]
    undecided: str


def list_series(path: str | os.PathLike[str]) -> SeriesList:
    """List the images of a folder, an archive, a DICOMDIR or a file; only headers are read.

    Raises ReadError (exit 3) where there is no DICOM image.
    """
    from leuko.dicom.choose import choose
    from leuko.dicom.files import scan
    from leuko.dicom.select import no_image
    from leuko.formats.archive import unpacked

    given = Path(path)
    if not given.exists():
        raise ReadError(
            f"There is no file or folder {given.name}.", hint="Check the path and its spelling."
        )
    with unpacked(given) as place:
        study = scan(place, name=given.name)
    if not study.stacks:
        raise no_image(study)
    reasons: dict[str, Reason] = {}
    undecided = ""
    try:
        reasons = {reason.key: reason for reason in choose(study).reasons}
    except LeukoError as error:
        undecided = error.what
        reasons = {reason.key: reason for reason in _apart(study)}
    rows = tuple(_row(stack, reasons[stack.key]) for stack in study.stacks)
    counts: dict[str, int] = {}
    for entry in study.skipped:
        counts[entry.reason] = counts.get(entry.reason, 0) + 1
    return SeriesList(rows, counts, study.findings, undecided)


def _apart(study: Study) -> list[Reason]:
    """What is known of each stack where no FLAIR can be chosen."""
    from leuko.dicom.choose import described

    return [described(stack) for stack in study.stacks]


def _row(stack: Stack, reason: Reason) -> SeriesRow:
    first = stack.first
    spacing = stack.spacing
    return SeriesRow(
        key=stack.key,
        series_number=stack.series_number,
        description=stack.description,
        modality=stack.modality,
        kind=stack.kind,
        size=(first.columns, first.rows, stack.layout.slices),
        volumes=stack.layout.volumes,
        spacing_mm=spacing and (round(spacing[0], 4), round(spacing[1], 4), round(spacing[2], 4)),
        echo_time_ms=first.echo_time,
        repetition_time_ms=first.repetition_time,
        inversion_time_ms=first.inversion_time,
        files=len(stack.instances),
        manufacturer=stack.instance.manufacturer,
        refused=stack.usable,
        role=reason.role,
        why=reason.why,
    )
