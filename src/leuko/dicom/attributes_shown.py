"""What a DICOM header says, for people: its attributes by group.

What identifies the patient is left out unless it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydicom import dcmread
from pydicom.datadict import dictionary_description
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.sequence import Sequence as Items

from leuko.dicom.deidentify_pixels import risk_of_annotation
from leuko.dicom.deidentify_secrets import secrets_of
from leuko.dicom.identity import tolerant
from leuko.errors import ReadError

__all__ = [
    "GROUPS",
    "HIDDEN",
    "MOST_VALUES",
    "SCREENED",
    "described",
    "header_of",
    "label_of",
    "screened",
    "value_of",
]

HIDDEN = "(hidden)"
Value = str | int | float | list[str | int | float]

GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "patient": (
            "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex",
            "PatientAge", "PatientSize", "PatientWeight", "OtherPatientIDs", "PatientComments",
            "AccessionNumber", "StudyID", "ReferringPhysicianName", "PerformingPhysicianName",
            "OperatorsName", "InstitutionName", "InstitutionAddress",
            "InstitutionalDepartmentName", "StationName", "DeviceSerialNumber",
        ),
        "study": (
            "StudyDate", "StudyTime", "StudyDescription", "StudyInstanceUID",
            "PatientIdentityRemoved", "DeidentificationMethod",
            "LongitudinalTemporalInformationModified",
        ),
        "series": (
            "Modality", "SeriesNumber", "SeriesDescription", "ProtocolName", "BodyPartExamined",
            "Laterality", "SeriesDate", "SeriesTime", "SeriesInstanceUID", "FrameOfReferenceUID",
            "SOPClassUID", "ImageType", "PatientPosition", "SpecificCharacterSet",
        ),
        "equipment": (
            "Manufacturer", "ManufacturerModelName", "SoftwareVersions", "MagneticFieldStrength",
            "ReceiveCoilName", "TransmitCoilName", "ConversionType",
        ),
        "acquisition": (
            "AcquisitionDate", "AcquisitionTime", "AcquisitionDateTime", "ScanningSequence",
            "SequenceVariant", "ScanOptions", "SequenceName", "PulseSequenceName",
            "MRAcquisitionType", "RepetitionTime", "EchoTime", "EffectiveEchoTime",
            "InversionTime", "FlipAngle", "EchoTrainLength", "NumberOfAverages", "EchoNumbers",
            "DiffusionBValue", "ImagingFrequency", "ImagedNucleus", "PixelBandwidth",
            "InPlanePhaseEncodingDirection", "AcquisitionMatrix", "PercentSampling",
            "PercentPhaseFieldOfView", "ParallelReductionFactorInPlane", "SliceThickness",
            "SpacingBetweenSlices", "NumberOfTemporalPositions", "TemporalResolution",
            "ContrastBolusAgent", "KVP", "XRayTubeCurrent", "Exposure", "ConvolutionKernel",
            "GantryDetectorTilt", "ReconstructionDiameter", "TableHeight",
        ),
        "photometric": (
            "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation",
            "PlanarConfiguration", "BitsAllocated", "BitsStored", "HighBit",
            "PixelRepresentation", "PixelSpacing", "SmallestImagePixelValue",
            "LargestImagePixelValue", "PixelPaddingValue", "RescaleSlope", "RescaleIntercept",
            "RescaleType", "WindowCenter", "WindowWidth", "WindowCenterWidthExplanation",
            "VOILUTFunction", "LossyImageCompression", "LossyImageCompressionRatio",
        ),
        "annotations": (
            "BurnedInAnnotation", "RecognizableVisualFeatures", "ImageComments",
            "DerivationDescription",
        ),
    }
)  # fmt: skip
"""Which attributes are shown in which group, by keyword, in this order."""

MOST_VALUES = 8
SCREENED = frozenset({"LO", "SH", "LT", "ST", "UT", "UC", "CS"})


def header_of(path: str | Path) -> FileDataset:
    """The data set at `path` without its pixels. Raises ReadError (exit 3)."""
    try:
        with tolerant():
            return dcmread(path, stop_before_pixels=True, force=True)
    except Exception as error:  # whatever a malformed file makes the library raise
        raise ReadError(
            f"{Path(path).name} cannot be read as DICOM.", hint="Copy or export the file again."
        ) from error


def described(header: FileDataset, *, patient: bool = False) -> dict[str, dict[str, Value]]:
    """The attributes that a header has, by group and keyword; `patient` shows that group too.

    Those of enhanced objects are found in their functional groups (shared ones, else those of
    the first frame). A text that repeats the patient's name or number is hidden.
    """
    shown: dict[str, dict[str, Value]] = {}
    with tolerant():
        secrets = None if patient else secrets_of(header, letters="")[0]
        places = [header, *_functional_groups(header)]
        for group, keywords in GROUPS.items():
            if group == "patient" and not patient:
                continue
            shown[group] = {}
            for keyword in keywords:
                value = _found(places, keyword, secrets)
                if value not in (None, "", []):
                    shown[group][keyword] = value
        _add_syntax(shown["photometric"], header)
        _add_overlays(shown["annotations"], header)
    return shown


def screened(header: FileDataset, text: str) -> str:
    """`text`, or HIDDEN where it repeats the patient's name or number."""
    with tolerant():
        secrets = secrets_of(header, letters="")[0]
    return HIDDEN if secrets is not None and secrets.search(text.encode()) else text


def label_of(keyword: str) -> str:
    """The name of an attribute, as the standard's dictionary has it."""
    try:
        return dictionary_description(keyword)
    except KeyError:
        return keyword


# ---------------------------------------------------------------- values


def _found(places: list[Dataset], keyword: str, secrets: re.Pattern[bytes] | None) -> Value | None:
    """The value in the first place that has it; None where nobody can decode it."""
    for place in places:
        if keyword in place:
            try:
                return _plain(place[keyword], secrets)
            except Exception:  # a malformed value is one attribute less, not an error
                return None
    return None


def _functional_groups(header: Dataset) -> Iterator[Dataset]:
    """The items of the shared functional groups and of those of the first frame."""
    for keyword in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        try:
            sequence = header.get(keyword)
            groups = list(sequence[0]) if isinstance(sequence, Items) and sequence else []
        except Exception:  # malformed groups: what is outside of them is shown
            continue
        for group in groups:
            if isinstance(group.value, Items) and group.value and not group.tag.is_private:
                yield group.value[0]


def _plain(element: DataElement, secrets: re.Pattern[bytes] | None) -> Value | None:
    """The value of an element as text, number or list of these."""
    value = element.value
    if value is None or isinstance(value, (bytes, Items)):
        return None
    several = isinstance(value, (list, tuple)) or (
        hasattr(value, "__iter__") and not isinstance(value, str) and element.VM > 1
    )
    if several:
        return [_one(part, element.VR, secrets) for part in value][:MOST_VALUES]
    return _one(value, element.VR, secrets)


def _one(value: Any, vr: str, secrets: re.Pattern[bytes] | None) -> str | int | float:
    if vr == "IS" or isinstance(value, int):
        return int(value) if str(value).strip().lstrip("+-").isdigit() else str(value)
    if vr == "DS" or isinstance(value, float):
        try:
            return float(value)
        except ValueError:
            return str(value)
    text = value.name if hasattr(value, "name") and vr == "UI" else str(value)
    if secrets is not None and vr in SCREENED and secrets.search(text.encode()):
        return HIDDEN
    return text.strip()


def _add_syntax(shown: dict[str, Value], header: FileDataset) -> None:
    syntax = header.file_meta.get("TransferSyntaxUID")
    if syntax:
        shown["TransferSyntaxUID"] = str(getattr(syntax, "name", syntax))


def _marks(header: Dataset) -> Dataset:
    """What tells whether the picture may show text, with pixels to ask about."""
    marked = Dataset()
    for keyword in ("BurnedInAnnotation", "SOPClassUID", "ConversionType", "Modality", "ImageType",
                    "PhotometricInterpretation"):  # fmt: skip
        value = _found([header], keyword, None)
        if value is not None and keyword in header:
            marked[keyword] = header[keyword]
    marked.PixelData = b""
    return marked


def _add_overlays(shown: dict[str, Value], header: Dataset) -> None:
    """Overlays by size and kind, and why the picture itself may show text."""
    found = []
    for group in range(0x6000, 0x6020, 2):
        tags = [group << 16 | part for part in (0x0010, 0x0011, 0x0040)]
        rows, columns, kind = (value_of(header, tag) for tag in tags)
        if rows is not None and columns is not None:
            meant = {"G": "graphics", "R": "region"}.get(str(kind), "overlay")
            found.append(f"{columns} x {rows} {meant}")
    if found:
        shown["Overlays"] = list(found)
    if reason := risk_of_annotation(_marks(header)):
        shown["PictureMayIdentify"] = reason


def value_of(header: Dataset, tag: int) -> Any:
    """The value of an element; None where it is missing or malformed."""
    try:
        return header[tag].value if tag in header else None
    except Exception:  # whatever a malformed value makes the library raise
        return None
