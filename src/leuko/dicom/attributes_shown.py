"""What a DICOM header says, for people: attributes by group, and a listing of every element.

What identifies the patient is left out, or masked, unless it is asked for; the table of the
confidentiality profile decides which attributes these are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydicom import dcmread
from pydicom.datadict import dictionary_description, private_dictionary_description
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.sequence import Sequence as Items

from leuko.dicom.deidentify_attributes import secrets_of
from leuko.dicom.deidentify_pixels import risk_of_annotation
from leuko.dicom.identity import tolerant
from leuko.dicom.profile import is_identifying
from leuko.errors import ReadError

__all__ = [
    "GROUPS",
    "HIDDEN",
    "Element",
    "described",
    "elements",
    "header_of",
    "label_of",
    "screened",
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

_LONGEST = 64  # characters of a value in a listing
_MOST_VALUES = 8
_DEPTH = 24
_NUMBERS = frozenset({"DS", "IS", "FL", "FD", "SS", "US", "SL", "UL", "AT"})
_SCREENED = frozenset({"LO", "SH", "LT", "ST", "UT", "UC", "CS"})


@dataclass(frozen=True, slots=True)
class Element:
    """An element of a file: tag, representation, name and value, and how deep it is nested."""

    depth: int
    tag: str
    vr: str
    name: str
    value: str
    hidden: bool = False


def header_of(path: str | Path) -> FileDataset:
    """The data set at `path` without its pixels. Raises ReadError (exit 3)."""
    try:
        with tolerant():
            return dcmread(path, stop_before_pixels=True, force=True)
    except Exception as error:  # whatever a malformed file makes the library raise
        raise ReadError(f"{Path(path).name} cannot be read as DICOM.") from error


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


def elements(path: str | Path, *, patient: bool = False) -> list[Element]:
    """Every element of a file with its value shortened; what identifies is masked.

    Raises ReadError (exit 3) where the file cannot be read.
    """
    header = header_of(path)
    with tolerant():
        secrets = None if patient else secrets_of(header, letters="")[0]
        listed = (
            list(_listed(header.file_meta, 0, True, None)) if "file_meta" in dir(header) else []
        )
        listed += _listed(header, 0, patient, secrets)
    return listed


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
        return [_one(part, element.VR, secrets) for part in value][:_MOST_VALUES]
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
    if secrets is not None and vr in _SCREENED and secrets.search(text.encode()):
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
        rows, columns, kind = (_value(header, tag) for tag in tags)
        if rows is not None and columns is not None:
            meant = {"G": "graphics", "R": "region"}.get(str(kind), "overlay")
            found.append(f"{columns} x {rows} {meant}")
    if found:
        shown["Overlays"] = list(found)
    if reason := risk_of_annotation(_marks(header)):
        shown["PictureMayIdentify"] = reason


def _value(header: Dataset, tag: int) -> Any:
    try:
        return header[tag].value if tag in header else None
    except Exception:  # malformed
        return None


# ---------------------------------------------------------------- every element


def _listed(
    dataset: Dataset, depth: int, patient: bool, secrets: re.Pattern[bytes] | None
) -> Iterator[Element]:
    if depth > _DEPTH:
        return
    for tag in sorted(dataset.keys()):
        try:
            element = dataset[tag]
        except Exception:  # an element that no one can decode does not end the listing
            yield Element(depth, _tag(tag), "??", _name(dataset, tag), "(damaged)")
            continue
        sequence = isinstance(element.value, Items)
        hidden = not patient and not sequence and not element.is_empty and _is_masked(element)
        value = HIDDEN if hidden else _short(element)
        if secrets is not None and element.VR in _SCREENED and secrets.search(value.encode()):
            value, hidden = HIDDEN, True
        yield Element(depth, _tag(tag), element.VR, _name(dataset, tag), value, hidden)
        if sequence:
            for number, item in enumerate(element.value, start=1):
                yield Element(depth + 1, "", "", f"item {number}", "")
                yield from _listed(item, depth + 1, patient, secrets)


def _is_masked(element: DataElement) -> bool:
    """Identifying by the table; of private ones those that are no plain numbers."""
    tag = int(element.tag)
    if isinstance(element.value, bytes):
        return False  # of bytes only the number is shown
    if tag >> 16 & 1 and (_is_creator(tag) or element.VR in _NUMBERS):
        return False
    return is_identifying(tag)


def _is_creator(tag: int) -> bool:
    return bool(tag >> 16 & 1) and 0x10 <= tag & 0xFFFF <= 0xFF


def _tag(tag: int) -> str:
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def _name(dataset: Dataset, tag: int) -> str:
    try:
        return dictionary_description(tag)
    except KeyError:
        pass
    if _is_creator(tag):
        return "Private Creator"
    if tag >> 16 & 1:
        creator = _value(dataset, tag & 0xFFFF0000 | tag >> 8 & 0xFF)
        try:
            if creator is not None:
                return private_dictionary_description(tag, str(creator))
        except KeyError:
            pass
        return "Private"
    return "Unknown"


def _short(element: DataElement) -> str:
    value = element.value
    if isinstance(value, Items):
        return f"{len(value)} item{'' if len(value) == 1 else 's'}"
    if value is None:
        return ""
    if isinstance(value, bytes):
        return f"({len(value):,} bytes)"
    if element.VR == "UI" and not isinstance(value, str):
        text = "\\".join(str(part) for part in value)
    elif hasattr(value, "__iter__") and not isinstance(value, str) and element.VR != "PN":
        parts = [str(part) for part in value]
        more = f"\\... ({len(parts)} values)" if len(parts) > _MOST_VALUES else ""
        text = "\\".join(parts[:_MOST_VALUES]) + more
    else:
        text = str(value)
        if element.VR == "UI" and getattr(value, "name", text) != text:
            text = f"{text} ({value.name})"
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
