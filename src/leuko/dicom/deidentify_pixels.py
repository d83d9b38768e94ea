"""What pixels may say of a patient: burned-in annotation, and overlays in their unused bits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import ExplicitVRBigEndian

from leuko.errors import ReadError, SafetyRefusal

__all__ = [
    "Rectangle",
    "blank",
    "clear_embedded_overlays",
    "holds_pixels",
    "require_silent_codestream",
    "require_whole_pixels",
    "risk_of_annotation",
    "without_tail",
]

_PIXELS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
_CLASSES_AT_RISK = (
    "1.2.840.10008.5.1.4.1.1.7",  # secondary capture, single and multi-frame
    "1.2.840.10008.5.1.4.1.1.6",  # ultrasound
    "1.2.840.10008.5.1.4.1.1.3",  # ultrasound, multi-frame
    "1.2.840.10008.5.1.4.1.1.77.1",  # photographs: endoscopy, microscopy, the patient's face
)
_MODALITIES_AT_RISK = frozenset({"US", "IVUS", "ES", "XC", "GM", "OT", "SC", "DG", "DOC", "SMR"})
_IMAGES = re.compile(
    r"1\.2\.840\.10008\.5\.1\.4\.1\.1\."
    r"(1(\..*)?|2(\..*)?|3\.1|4|4\.[134]|6\..*|7(\..*)?|1[23]\..*|20|30|66\.4|77\.1\..*|128(\.1)?|"
    r"130|481\.1)"
)
_FRAGMENT = b"\xfe\xff\x00\xe0"  # the item tag before every fragment
_CODESTREAM_HEADER = 1024
_SCREENS = ("SCREEN", "CAPTURE", "REPORT", "PROTOCOL")


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A rectangle of pixels to blank: column and row of its first pixel, width and height."""

    x: int
    y: int
    width: int
    height: int


def holds_pixels(dataset: Dataset) -> bool:
    """Whether there is anything to look at."""
    return any(tag in dataset for tag in _PIXELS)


def risk_of_annotation(dataset: Dataset) -> str:
    """Why the picture itself may show who the patient is; '' where that is not to be expected.

    The file's own word (Burned In Annotation) decides where it gives it. Without it, kinds of
    images that are made from screens, with text written into them as a rule, count as at risk.
    """
    if not holds_pixels(dataset):
        return ""
    said = _text(dataset, "BurnedInAnnotation")
    if said == "YES":
        return "its pixels show text that the scanner burned in (Burned In Annotation: YES)"
    if said == "NO":
        return ""
    sop_class = _text(dataset, "SOPClassUID")
    if any(sop_class == kind or sop_class.startswith(kind + ".") for kind in _CLASSES_AT_RISK):
        return "it is a screenshot, an ultrasound image or a photograph, which may show text"
    if _text(dataset, "ConversionType") or _text(dataset, "Modality") in _MODALITIES_AT_RISK:
        return "it was made from a screen or a film, which may show text"
    kinds = _text(dataset, "ImageType")
    if any(word in kinds for word in _SCREENS):
        return "it says that it is a screenshot or a report"
    if _text(dataset, "PhotometricInterpretation") not in ("", "MONOCHROME1", "MONOCHROME2"):
        return "it is a colour picture, which may show text"
    return ""


def require_whole_pixels(dataset: FileDataset, *, name: str) -> None:
    """Raise ReadError (exit 3) where a value, or the pixels, are shorter than the file says."""
    cut = ReadError(
        f"{name} is truncated: it ends before what its header announces.",
        hint="Have the archive send the file again.",
    )
    if any(_is_cut(dataset.get_item(tag)) for tag in dataset.keys()):  # noqa: SIM118
        raise cut
    image = _IMAGES.fullmatch(str(dataset.get("SOPClassUID"))) is not None
    if image and not holds_pixels(dataset):
        raise cut
    needed = _native_length(dataset)
    if needed is not None and len(dataset.PixelData or b"") < needed:
        raise cut


def without_tail(dataset: FileDataset) -> None:
    """Drop what follows the last pixel within the pixel data: nobody knows what it is."""
    needed = _native_length(dataset)
    if needed is None:
        return
    content = dataset.PixelData or b""
    if needed and any(content[needed:]):
        vr = dataset["PixelData"].VR
        dataset.PixelData = content[:needed] + b"\0" * (needed % 2)
        dataset["PixelData"].VR = vr


def _native_length(dataset: FileDataset) -> int | None:
    """How many bytes uncompressed pixels take; None where there are none."""
    if "PixelData" not in dataset or dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        return None
    sides = (dataset.get(keyword) for keyword in ("Rows", "Columns", "BitsAllocated"))
    rows, columns, bits = (side if isinstance(side, int) else 0 for side in sides)
    samples = int(dataset.get("SamplesPerPixel") or 1)
    if str(dataset.get("PhotometricInterpretation")).endswith("422"):
        samples = 2
    return -(-rows * columns * samples * int(dataset.get("NumberOfFrames") or 1) * bits // 8)


def _is_cut(item: Any) -> bool:
    """Whether an element that was not decoded has fewer bytes than it announces."""
    if not isinstance(item, RawDataElement) or not isinstance(item.value, bytes):
        return False
    return item.length not in (0xFFFFFFFF, len(item.value))


def require_silent_codestream(
    dataset: FileDataset, secrets: re.Pattern[bytes] | None, *, name: str
) -> None:
    """Raise SafetyRefusal (exit 5) where a compressed picture's own header names the patient.

    JPEG and JPEG 2000 have comments and camera data of their own, before the picture begins, and
    something else may follow where it ends.
    """
    if secrets is None or "PixelData" not in dataset:
        return
    if not dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        return
    content = dataset.PixelData
    start = content.find(_FRAGMENT)
    while start >= 0:
        end = start + 8 + int.from_bytes(content[start + 4 : start + 8], "little")
        head = content[start + 8 : start + 8 + _CODESTREAM_HEADER]
        tail = content[max(start + 8, end - _CODESTREAM_HEADER) : end]
        if secrets.search(head) or secrets.search(tail):
            raise SafetyRefusal(
                f"{name}: what surrounds the picture in its compressed pixels repeats the "
                "patient's name.",
                hint="Store the pixels uncompressed first (dcmdjpeg, gdcmconv --raw).",
            )
        start = content.find(_FRAGMENT, start + 8)


def blank(dataset: FileDataset, rectangles: tuple[Rectangle, ...], *, name: str) -> None:
    """Overwrite the rectangles in every frame, in place; compressed pixels are stored plainly.

    Raises SafetyRefusal (exit 5) where a rectangle lies outside the picture or the pixels are
    of a kind that cannot be overwritten, ReadError (exit 3) where they cannot be decoded.
    """
    pixels = _plain_pixels(dataset, name=name)
    rows, columns = pixels.shape[1:3]
    for box in rectangles:
        inside = box.x < columns and box.y < rows
        if not inside or min(box.x, box.y) < 0 or min(box.width, box.height) < 1:
            raise SafetyRefusal(
                f"{name}: the rectangle {box.x},{box.y},{box.width},{box.height} to blank does not "
                f"lie in the picture of {columns} x {rows} pixels.",
                hint="Give column, row, width and height of what to blank: --blank 0,0,512,40.",
            )
        part = pixels[:, box.y : box.y + box.height, box.x : box.x + box.width, :]
        part[...] = _black(dataset)
    _store(dataset, pixels)
    dataset.BurnedInAnnotation = "NO"


def clear_embedded_overlays(dataset: FileDataset, *, name: str) -> None:
    """Clear the bits of the pixels in which overlays lie (retired, but scanners still do it)."""
    bits = 0
    for group in range(0x6000, 0x6020, 2):
        position = (group << 16) | 0x0102
        if position in dataset and (group << 16) | 0x3000 not in dataset:
            value = dataset[position].value
            bits |= 1 << int(value) if isinstance(value, int) and 0 <= value < 32 else 0
    if not bits or not holds_pixels(dataset):
        return
    high = dataset.get("HighBit")
    if not isinstance(high, int) or bits >> (high + 1) == 0:
        return  # where the overlay would lie are the pixels themselves
    pixels = _plain_pixels(dataset, name=name)
    unsigned = pixels.view(f"u{pixels.dtype.itemsize}")
    mask = ~(bits & ~((1 << (high + 1)) - 1)) & ((1 << (8 * pixels.dtype.itemsize)) - 1)
    unsigned &= unsigned.dtype.type(mask)
    _store(dataset, pixels)


def _plain_pixels(dataset: FileDataset, *, name: str) -> np.ndarray[Any, Any]:
    """A writable view of the stored pixels: frames, rows, columns, samples; decoded if need be."""
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        try:
            dataset.decompress(generate_instance_uid=False)
        except Exception as error:  # whatever a decoder raises
            raise ReadError(
                f"{name}: its pixels cannot be decoded, so nothing in them can be removed.",
                hint="Leave the file out.",
            ) from error
    allocated = dataset.get("BitsAllocated")
    subsampled = str(dataset.get("PhotometricInterpretation")).endswith(("422", "420"))
    if "PixelData" not in dataset or allocated not in (8, 16, 32) or subsampled:
        raise SafetyRefusal(
            f"{name}: pixels of this kind cannot be overwritten.", hint="Leave the file out."
        )
    order = ">" if dataset.file_meta.TransferSyntaxUID == ExplicitVRBigEndian else "<"
    frames = int(dataset.get("NumberOfFrames") or 1)
    samples = int(dataset.get("SamplesPerPixel") or 1)
    shape = (frames, int(dataset.Rows), int(dataset.Columns), samples)
    flat = np.frombuffer(bytearray(dataset.PixelData), dtype=f"{order}u{allocated // 8}")
    count = int(np.prod(shape))
    if flat.size < count:
        raise ReadError(f"{name}: its pixel data is cut short.", hint="Copy the file again.")
    if samples > 1 and dataset.get("PlanarConfiguration") == 1:
        planes = (frames, samples, *shape[1:3])
        return flat[:count].reshape(planes).transpose(0, 2, 3, 1)
    return flat[:count].reshape(shape)


def _store(dataset: Dataset, pixels: np.ndarray[Any, Any]) -> None:
    planar = pixels.shape[3] > 1 and dataset.get("PlanarConfiguration") == 1
    content = (pixels.transpose(0, 3, 1, 2) if planar else pixels).tobytes()
    dataset.PixelData = content + b"\0" * (len(content) % 2)
    dataset["PixelData"].VR = "OB" if pixels.dtype.itemsize == 1 else "OW"


def _black(dataset: Dataset) -> Any:
    photometric = _text(dataset, "PhotometricInterpretation")
    if photometric.startswith("YBR"):
        return (0, 128, 128)
    if photometric == "MONOCHROME1":
        return (1 << int(dataset.get("BitsStored") or 8)) - 1
    return 0


def _text(dataset: Dataset, keyword: str) -> str:
    """A value as text, several joined by backslashes; '' where it is missing."""
    value = dataset.get(keyword)
    if value is None:
        return ""
    parts = [value] if isinstance(value, str) or not hasattr(value, "__iter__") else value
    return "\\".join(str(part).strip(" \0").upper() for part in parts)
