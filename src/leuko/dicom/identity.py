"""Who and when of a DICOM object that we make: the source's patient and study, our own UIDs.

An object belongs to the patient and the study of its source images, whose attributes are copied;
what is missing or malformed there is written empty where the standard allows it.

UIDs are made, not drawn: "2.25." and a UUID (version 8) of the SHA-256 of everything the object
says but its dates. So two runs on the same images give objects with the same UIDs, and an archive
that has one already does not get it twice; whatever differs (voxels, parameters, version) gives
another UID.
"""

from __future__ import annotations

import re
import uuid
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from hashlib import sha256
from io import BytesIO
from typing import Literal

from pydicom import config, dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from leuko.errors import SafetyRefusal

__all__ = [
    "Maker",
    "about_patient",
    "age_and_sex",
    "begin",
    "encode",
    "finish",
    "require_one_study",
    "tolerant",
    "uid_of",
]

PATIENT = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex")  # type 2
PATIENT_IF_PRESENT = (
    "IssuerOfPatientID",
    "OtherPatientIDs",
    "PatientAge",
    "PatientSize",
    "PatientWeight",
    "EthnicGroup",
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "ClinicalTrialSponsorName",
    "ClinicalTrialProtocolID",
    "ClinicalTrialProtocolName",
    "ClinicalTrialSiteID",
    "ClinicalTrialSiteName",
    "ClinicalTrialSubjectID",
)
STUDY = ("StudyDate", "StudyTime", "ReferringPhysicianName", "StudyID", "AccessionNumber")  # type 2
STUDY_IF_PRESENT = ("StudyDescription",)
FORM = {
    "DA": re.compile(r"\d{8}"),
    "TM": re.compile(r"\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?"),
    "AS": re.compile(r"\d{3}[DWMY]"),
    "DS": re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"),
    "CS": re.compile(r"[A-Z0-9 _]{0,16}"),
    "SH": re.compile(r"[^\\]{0,16}"),
    "LO": re.compile(r"[^\\]{0,64}"),
}
SEX = {"M", "F", "O"}
DATES = (
    "ContentDate",
    "ContentTime",
    "SeriesDate",
    "SeriesTime",
    "InstanceCreationDate",
    "InstanceCreationTime",
)
ABOUT = {
    "patient_name": "PatientName",
    "patient_id": "PatientID",
    "birth_date": "PatientBirthDate",
    "sex": "PatientSex",
    "age": "PatientAge",
    "study_date": "StudyDate",
    "study_description": "StudyDescription",
    "accession_number": "AccessionNumber",
}
IMPLEMENTATION = "leuko"
PER_YEAR = {"D": 365.25, "W": 365.25 / 7, "M": 12.0, "Y": 1.0}
OLDEST = 130


Header = Dataset
"""A source image's data set, with or without its pixels."""


class Maker:
    """Who makes an object: program, version and the weights that stand behind the result."""

    __slots__ = ("name", "serial", "version")

    def __init__(self, *, version: str, serial: str, name: str = "leuko") -> None:
        self.name, self.version, self.serial = name, version, serial or "none"


def uid_of(*parts: str | bytes) -> str:
    """A UID under 2.25 that depends on `parts` alone."""
    digest = sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        digest.update(len(content).to_bytes(8, "big") + content)
    number = bytearray(digest.digest()[:16])
    number[6] = number[6] & 0x0F | 0x80  # version 8: made from data
    number[8] = number[8] & 0x3F | 0x80  # variant of RFC 9562
    return f"2.25.{uuid.UUID(bytes=bytes(number)).int}"


@contextmanager
def tolerant() -> Iterator[None]:
    """Values of foreign headers are taken as they are: no complaint of pydicom's gets out."""
    with warnings.catch_warnings(), config.disable_value_validation():
        warnings.simplefilter("ignore")
        yield


def require_one_study(headers: Sequence[Dataset]) -> None:
    """Raise SafetyRefusal (exit 5) unless all headers are of one patient, study and frame.

    Attributes that a header lacks don't count as different.
    """
    if not headers:
        raise SafetyRefusal("There is no source image to refer to.")
    one = "Give the images of one series of one study."
    if not same_patient(headers):
        raise SafetyRefusal("The images are of different patients.", hint=one)
    for keyword, what in (
        ("StudyInstanceUID", "studies"),
        ("FrameOfReferenceUID", "frames of reference"),
    ):
        if len({str(header.get(keyword) or "") for header in headers} - {""}) > 1:
            raise SafetyRefusal(f"The images are of different {what}.", hint=one)
    for keyword in ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID"):
        if not all(header.get(keyword) for header in headers):
            raise SafetyRefusal(
                f"Some images lack what others refer to them by ({keyword}).",
                hint="Export the series again, or write no DICOM objects: --no-dicom.",
            )
    if not headers[0].get("StudyInstanceUID"):
        raise SafetyRefusal(
            "The images name no study (no Study Instance UID), so nothing can be added to it.",
            hint="Write no DICOM objects: --no-dicom.",
        )


def same_patient(headers: Sequence[Dataset]) -> bool:
    """Whether all headers are of one patient: by ID, or by name where none has an ID.

    Software between scanner and archive writes names in other letters, and drops birth dates.
    """

    def told(keyword: str) -> set[str]:
        values = (str(header.get(keyword) or "") for header in headers)
        return {re.sub(r"[\W_]+", " ", value).strip().casefold() for value in values} - {""}

    with tolerant():
        return len(told("PatientID") or told("PatientName")) <= 1


def begin(
    header: Dataset,
    *,
    sop_class: str,
    modality: str,
    number: int,
    description: str,
    maker: Maker,
    when: datetime,
) -> Dataset:
    """The modules that all our objects share: patient, study, series, equipment, SOP common.

    `number` tells our objects of one source series apart; `when` is local time, as scanners write.
    The UIDs are given by `finish`.
    """
    new = Dataset()
    with tolerant():
        if charset := header.get("SpecificCharacterSet"):
            new.SpecificCharacterSet = charset
        for keyword in (*PATIENT, *STUDY):
            setattr(new, keyword, _value(header, keyword))
        for keyword in (*PATIENT_IF_PRESENT, *STUDY_IF_PRESENT):
            if value := _value(header, keyword):
                setattr(new, keyword, value)
        new.StudyInstanceUID = header.StudyInstanceUID
        if new.PatientSex not in SEX:
            new.PatientSex = ""
        _name_deidentification(new, header)
    new.SOPClassUID = UID(sop_class)
    new.Modality = modality
    new.SeriesNumber = _series_number(header, number)
    new.SeriesDescription = description
    new.Manufacturer = maker.name
    new.ManufacturerModelName = maker.name
    new.DeviceSerialNumber = maker.serial
    new.SoftwareVersions = maker.version
    new.InstanceNumber = 1
    for keyword in DATES:
        setattr(new, keyword, f"{when:%Y%m%d}" if keyword.endswith("Date") else f"{when:%H%M%S}")
    return new


def finish(dataset: Dataset, *, told: Mapping[str, str] | None = None) -> Dataset:
    """Give `dataset` its UIDs, from everything it says but its dates; returns it.

    `told` stands for the attributes it names, by keyword: text that says all that they do, where
    encoding them only for that would take long.
    """
    short = told or {}
    bare = Dataset()
    bare.update(
        {
            element.tag: element
            for element in dataset
            if element.keyword not in DATES and element.keyword not in short
        }
    )
    digest = sha256(_bytes(bare))
    for keyword, text in sorted(short.items()):
        digest.update(f"{keyword}={text}".encode())
    dataset.SOPInstanceUID = uid_of("instance", digest.digest())
    dataset.SeriesInstanceUID = uid_of("series", digest.digest())
    return dataset


def about_patient(header: Dataset) -> dict[str, str]:
    """Of whom and of which study an image is, in words; what is not known is left out."""
    with tolerant():
        known = {name: str(header.get(word) or "").strip() for name, word in ABOUT.items()}
    return {name: value for name, value in known.items() if value}


def age_and_sex(header: Dataset) -> tuple[float | None, Literal["male", "female"] | None]:
    """Age in years, by the age or else the dates of birth and study, and sex; None where unknown.

    De-identified ages of 089Y and more may stand for any above.
    """
    known = about_patient(header)
    age: float | None = None
    told = known.get("age", "")
    if FORM["AS"].fullmatch(told):
        age = int(told[:3]) / PER_YEAR[told[3]]
    else:
        with suppress(ValueError):
            born, seen = (
                datetime.strptime(known.get(name, ""), "%Y%m%d")
                for name in ("birth_date", "study_date")
            )
            age = (seen - born).days / PER_YEAR["D"]
    sexes: dict[str, Literal["male", "female"]] = {"M": "male", "F": "female"}
    sex = sexes.get(known.get("sex", "").upper())
    return (age if age is not None and 0 <= age <= OLDEST else None), sex


def encode(dataset: Dataset) -> bytes:
    """The file of a finished object: part 10, explicit little endian."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(uid_of("implementation", IMPLEMENTATION))
    meta.ImplementationVersionName = IMPLEMENTATION.upper()
    file = BytesIO()
    whole = Dataset()
    whole.update(dataset)
    whole.file_meta = meta
    with tolerant():
        dcmwrite(file, whole, enforce_file_format=True)
    return file.getvalue()


def _bytes(dataset: Dataset) -> bytes:
    file = BytesIO()
    with tolerant():
        dcmwrite(file, dataset, implicit_vr=False, little_endian=True)
    return file.getvalue()


def _value(header: Dataset, keyword: str) -> object:
    """A copied value; empty where it is missing, or not as its type must be written."""
    if keyword not in header:
        return ""
    element = header[keyword]
    form = FORM.get(element.VR)
    parts = element.value if element.VM > 1 else [element.value]
    for part in parts:
        text = str(part if part is not None else "").strip()
        if not text or (form and not form.fullmatch(text)):
            return ""
    return element.value


def _name_deidentification(new: Dataset, header: Dataset) -> None:
    """The standard wants the method named where identity was removed; some sources don't say it."""
    if new.get("PatientIdentityRemoved") != "YES" or new.get("DeidentificationMethod"):
        return
    listed = header.get("DeidentificationMethodCodeSequence") or []
    meanings = [str(item.get("CodeMeaning") or "")[:64] for item in listed]
    new.DeidentificationMethod = [text for text in meanings if text] or "not named in the source"


def _series_number(header: Dataset, number: int) -> int:
    """The source's number and two digits behind it, so that lists show ours beside it."""
    with tolerant():
        text = str(header.get("SeriesNumber") or "").strip()
    return (int(text) if text.isdigit() and len(text) <= 6 else 90) * 100 + number
