"""A PDF as a DICOM object of the study (PS3.3 A.45.1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydicom.dataset import Dataset

from leuko.dicom import codes
from leuko.dicom.codes import coded, items
from leuko.dicom.identity import Maker, begin, finish, require_one_study, tolerant
from leuko.dicom.references import series_items
from leuko.errors import UsageError

__all__ = ["PDF_STORAGE", "encapsulated_pdf", "pdf_of"]

PDF_STORAGE = "1.2.840.10008.5.1.4.1.1.104.1"
SERIES = 3
BEGIN = b"%PDF-"


def encapsulated_pdf(
    pdf: bytes,
    *,
    headers: Sequence[Dataset],
    maker: Maker,
    when: datetime,
    title: str,
    identified: bool = False,
) -> Dataset:
    """The object that holds `pdf`, of the patient and study of `headers`, its source images.

    `identified` says that the pages themselves tell who the patient is. Raises UsageError
    (exit 2) for what is no PDF, SafetyRefusal (exit 5) where the sources are of several patients
    or studies.
    """
    require_one_study(headers)
    if not pdf.startswith(BEGIN):
        raise UsageError("The document to encapsulate is no PDF.")
    with tolerant():
        new = begin(
            headers[0],
            sop_class=PDF_STORAGE,
            modality="DOC",
            number=SERIES,
            description=title,
            maker=maker,
            when=when,
        )
        new.ConversionType = "WSD"  # made on a workstation
        new.AcquisitionDateTime = ""
        new.BurnedInAnnotation = "YES" if identified else "NO"
        new.DocumentTitle = title
        new.ConceptNameCodeSequence = items(coded(codes.MEASUREMENT_REPORT))
        new.MIMETypeOfEncapsulatedDocument = "application/pdf"
        new.SourceInstanceSequence = items(*_sources(headers))
        new.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
        new.EncapsulatedDocumentLength = len(pdf)
        return finish(new)


def pdf_of(dataset: Dataset) -> bytes:
    """The PDF that an object holds, without padding."""
    content: bytes = dataset.EncapsulatedDocument
    length = dataset.get("EncapsulatedDocumentLength")
    return content[:length] if length else content.rstrip(b"\0")


def _sources(headers: Sequence[Dataset]) -> list[Dataset]:
    found = []
    for entries in series_items(headers).values():
        for class_uid, instance_uid in entries:
            item = Dataset()
            item.ReferencedSOPClassUID = class_uid
            item.ReferencedSOPInstanceUID = instance_uid
            found.append(item)
    return found
