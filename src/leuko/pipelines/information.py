"""What an image is: geometry, values, and what its header says, for people and as JSON."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from pathlib import Path

from leuko.errors import UsageError
from leuko.formats.archive import is_archive, unpacked
from leuko.formats.byte_source import ByteSource
from leuko.formats.detect import HEAD_BYTES, recognise
from leuko.formats.folder import choose
from leuko.formats.nifti_described import describe_nifti, nifti_fields
from leuko.formats.read import read
from leuko.formats.registry import FORMATS
from leuko.pipelines.information_content import Field, Info
from leuko.pipelines.information_dicom import info_of_dicom, shown_name
from leuko.pipelines.information_geometry import geometry_of
from leuko.pipelines.information_values import values_of

__all__ = ["SCHEMA", "as_json", "info"]

SCHEMA = 1


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
            chosen = choose(folder, series=series, name=shown_name(given))
            found = _info(chosen, chosen == folder, series=series, patient=patient, tags=tags)
            return replace(found, name=given.name) if chosen == folder else found
    with ByteSource(given) as source:
        dicom = recognise(source.peek(HEAD_BYTES)) == "dicom"
    return _info(given, dicom, series=series, patient=patient, tags=tags)


def as_json(found: Info) -> str:
    """An Info as JSON, with the number of its schema first."""
    content = {"schema": SCHEMA} | asdict(found)
    return json.dumps(content, indent=2, default=str) + "\n"


def _info(path: Path, dicom: bool, *, series: str, patient: bool, tags: bool) -> Info:
    if dicom:
        return info_of_dicom(path, series=series, patient=patient, tags=tags)
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
        geometry=geometry_of(image, slice_error=None),
        values=values_of(image.data),
        nifti=describe_nifti(header, name=path.name) if header else None,
        findings=image.findings,
        tags=_nifti_tags(header, path.name, patient) if tags and header else (),
    )


def _nifti_tags(header: bytes, name: str, patient: bool) -> tuple[Field, ...]:
    listed = nifti_fields(header, name=name, texts=patient)
    return tuple(Field(0, "", kind, field, value) for field, kind, value in listed)
