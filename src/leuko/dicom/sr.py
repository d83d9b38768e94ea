"""DICOM structured report: measurements by TID 1500, as a Comprehensive 3D SR (PS3.3 A.35.13).

Each group of measurements has tracking identifiers; those of the group that measures a segment are
the segment's own, so that a program finds the voxels behind a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydicom.dataset import Dataset

from leuko.dicom import codes
from leuko.dicom.codes import PRIVATE_SCHEME, Code, items
from leuko.dicom.identity import Maker, begin, finish, require_one_study, tolerant, uid_of
from leuko.dicom.references import series_items
from leuko.dicom.seg import Algorithm
from leuko.dicom.sr_content import (
    ACQUIRED,
    CONTEXT,
    MODIFIER,
    code,
    container,
    image,
    number,
    text,
    uid,
)

__all__ = ["REPORT_STORAGE", "Group", "Measured", "measurement_report"]

REPORT_STORAGE = "1.2.840.10008.5.1.4.1.1.88.34"
SERIES = 2


@dataclass(frozen=True, slots=True)
class Measured:
    """A number with its name and unit."""

    name: Code
    value: float
    unit: Code


@dataclass(frozen=True, slots=True)
class Group:
    """Measurements of one thing.

    `segment` is its number in the segmentation object; without one, the group measures a part of
    it, which `modifiers` (concept name, value) tell apart.
    """

    tracking_id: str
    tracking_uid: str
    finding: Code
    measured: tuple[Measured, ...]
    segment: int | None = None
    site: Code | None = None
    side: Code | None = None
    modifiers: tuple[tuple[Code, Code], ...] = ()


def measurement_report(
    groups: Sequence[Group],
    *,
    headers: Sequence[Dataset],
    segmentation: Dataset | None,
    algorithm: Algorithm,
    maker: Maker,
    when: datetime,
    remark: str,
    description: str = "White matter hyperintensities",
) -> Dataset:
    """The SR object of `groups`, measured on the images of `headers`.

    `segmentation` is the finished SEG object that segments are numbered in; `remark` is a text for
    the reader, such as what the numbers may not be used for. Raises SafetyRefusal (exit 5) where
    the sources are of several patients or studies.
    """
    require_one_study(headers)
    with tolerant():
        new = begin(
            headers[0],
            sop_class=REPORT_STORAGE,
            modality="SR",
            number=SERIES,
            description=description,
            maker=maker,
            when=when,
        )
        new.ReferencedPerformedProcedureStepSequence = items()
        new.PerformedProcedureCodeSequence = items()
        new.CompletionFlag = "COMPLETE"
        new.VerificationFlag = "UNVERIFIED"
        new.CurrentRequestedProcedureEvidenceSequence = items(_evidence(headers, segmentation))
        new.CodingSchemeIdentificationSequence = items(_own_scheme(maker))
        measured = [_group(group, headers, segmentation, algorithm) for group in groups]
        root = container(
            codes.MEASUREMENT_REPORT,
            [
                code(codes.LANGUAGE, codes.ENGLISH, relation=MODIFIER),
                *_observer(maker),
                code(codes.PROCEDURE_REPORTED, codes.BRAIN_MRI, relation=MODIFIER),
                _library(headers),
                container(codes.IMAGING_MEASUREMENTS, measured),
                text(codes.COMMENT, remark),
            ],
            relation="",
            template="1500",
        )
        new.update(root)
        return finish(new)


def _observer(maker: Maker) -> list[Dataset]:
    """Who observed (TID 1002, 1004): a device."""
    return [
        code(codes.OBSERVER_TYPE, codes.DEVICE, relation=CONTEXT),
        uid(codes.DEVICE_UID, uid_of("device", maker.version, maker.serial), relation=CONTEXT),
        text(codes.DEVICE_NAME, maker.name, relation=CONTEXT),
        text(codes.DEVICE_MAKER, maker.name, relation=CONTEXT),
        text(codes.DEVICE_MODEL, f"{maker.name} {maker.version}", relation=CONTEXT),
    ]


def _library(headers: Sequence[Dataset]) -> Dataset:
    """The images that were measured (TID 1600)."""
    listed = [entry for entries in series_items(headers).values() for entry in entries]
    group = container(
        codes.IMAGE_LIBRARY_GROUP,
        [
            code(codes.MODALITY, codes.MAGNETIC_RESONANCE, relation=ACQUIRED),
            *(image(*entry) for entry in listed),
        ],
    )
    return container(codes.IMAGE_LIBRARY, [group], template="1600")


def _group(
    group: Group,
    headers: Sequence[Dataset],
    segmentation: Dataset | None,
    algorithm: Algorithm,
) -> Dataset:
    """A measurement group: of a segment by TID 1411, else by TID 1501."""
    content = [
        text(codes.TRACKING_IDENTIFIER, group.tracking_id, relation=CONTEXT),
        uid(codes.TRACKING_UID, group.tracking_uid, relation=CONTEXT),
        code(codes.FINDING, group.finding),
        text(codes.ALGORITHM_NAME, algorithm.name, relation=MODIFIER),
        text(codes.ALGORITHM_VERSION, algorithm.version, relation=MODIFIER),
    ]
    if algorithm.parameters:
        content.append(text(codes.ALGORITHM_PARAMETERS, algorithm.parameters, relation=MODIFIER))
    of_segment = group.segment is not None and segmentation is not None
    if of_segment and segmentation is not None:
        content.append(
            image(
                str(segmentation.SOPClassUID),
                str(segmentation.SOPInstanceUID),
                name=codes.REFERENCED_SEGMENT,
                segment=group.segment,
            )
        )
        content.append(uid(codes.SOURCE_SERIES, str(headers[0].SeriesInstanceUID)))
    content.append(code(codes.METHOD, codes.SUM_OF_VOXELS, relation=MODIFIER))
    if group.site:
        side = [code(codes.LATERALITY, group.side, relation=MODIFIER)] if group.side else []
        content.append(code(codes.FINDING_SITE, group.site, relation=MODIFIER, content=side))
    content += [code(name, value, relation=MODIFIER) for name, value in group.modifiers]
    content += [number(item.name, item.value, item.unit) for item in group.measured]
    return container(codes.MEASUREMENT_GROUP, content, template="1411" if of_segment else "1501")


def _evidence(headers: Sequence[Dataset], segmentation: Dataset | None) -> Dataset:
    """Every object that the report refers to, by study and series."""
    listed = series_items([*headers, *([segmentation] if segmentation is not None else [])])
    series = []
    for series_uid, entries in listed.items():
        item = Dataset()
        item.SeriesInstanceUID = series_uid
        references = []
        for class_uid, instance_uid in entries:
            reference = Dataset()
            reference.ReferencedSOPClassUID = class_uid
            reference.ReferencedSOPInstanceUID = instance_uid
            references.append(reference)
        item.ReferencedSOPSequence = items(*references)
        series.append(item)
    study = Dataset()
    study.StudyInstanceUID = headers[0].StudyInstanceUID
    study.ReferencedSeriesSequence = items(*series)
    return study


def _own_scheme(maker: Maker) -> Dataset:
    scheme = Dataset()
    scheme.CodingSchemeDesignator = PRIVATE_SCHEME
    scheme.CodingSchemeName = f"Codes of {maker.name}"
    scheme.CodingSchemeResponsibleOrganization = maker.name
    return scheme
