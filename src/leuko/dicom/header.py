"""From a data set to the values of an instance and of its frames (PS3.3 C.7.6, C.8.3, C.8.4)."""

from __future__ import annotations

import hashlib
import math
import re
from datetime import date

from leuko.dicom import diffusion
from leuko.dicom.elements import PIXELS, Elements
from leuko.dicom.frame import Frame, Instance, Vector
from leuko.dicom.part10 import Header

__all__ = [
    "NotAnImage",
    "classic_frame",
    "complex_component",
    "component_of",
    "instance_of",
    "instant",
    "orientation_of",
    "pixel_spacing",
    "position_of",
    "real_world",
    "thickness",
]

_NO_IMAGES = {
    "1.2.840.10008.1.3.10": "a DICOMDIR (an index of files)",
    "1.2.840.10008.5.1.4.1.1.11": "a presentation state",
    "1.2.840.10008.5.1.4.1.1.66.4": "a segmentation",
    "1.2.840.10008.5.1.4.1.1.66.5": "a surface segmentation",
    "1.2.840.10008.5.1.4.1.1.66": "raw data or a registration",
    "1.2.840.10008.5.1.4.1.1.88": "a structured report",
    "1.2.840.10008.5.1.4.1.1.9": "a waveform",
    "1.2.840.10008.5.1.4.1.1.104": "an encapsulated document",
    "1.2.840.10008.5.1.4.1.1.481.2": "a radiotherapy dose",
    "1.2.840.10008.5.1.4.1.1.481": "a radiotherapy object",
    "1.2.840.10008.5.1.4.1.1.67": "a real-world value map",
    "1.2.840.10008.5.1.4.1.1.4.2": "a spectrum",
    "1.2.840.10008.5.1.4.34": "a procedure or plan",
    "1.3.12.2.1107.5.9.1": "a Siemens object without pixels",
    "1.3.46.670589.11.0.0.12": "a Philips object without pixels",
}
_NO_IMAGE_MODALITIES = {
    "SR": "a structured report", "PR": "a presentation state", "SEG": "a segmentation",
    "RTSTRUCT": "a set of contours", "RTPLAN": "a radiotherapy plan",
    "RTDOSE": "a radiotherapy dose", "REG": "a registration", "KO": "a list of key objects",
    "ECG": "a waveform", "DOC": "an encapsulated document",
}  # fmt: skip
_COMPONENTS = {
    "M": "magnitude", "MAGNITUDE": "magnitude", "P": "phase", "PHASE": "phase",
    "PHASE MAP": "phase", "PHASE_MAP": "phase", "R": "real", "REAL": "real",
    "I": "imaginary", "IMAGINARY": "imaginary",
}  # fmt: skip
_GE_COMPONENTS = {0: "magnitude", 1: "phase", 2: "real", 3: "imaginary"}
_LOOK_UP = "Its values come from a look-up table (Modality LUT), which leuko does not apply."
_EXPORT = "Export the series with rescale slope and intercept."
_MOMENT = re.compile(r"(\d{2}):?(\d{2})?:?(\d{2})?(\.\d+)?")


WITHOUT_PIXELS = "a data set without pixels"
_STORAGE = "1.2.840.10008.5.1.4.1.1"  # the standard's objects: what is no image is named apart


_MOST_BITS = 64
_LENGTHS = (1e-6, 1e6)  # mm: what is beyond is no length of a voxel


class NotAnImage(Exception):
    """A data set without an image; the reason completes 'it is ...'."""


def instance_of(header: Header, path: str) -> Instance:
    """What all frames of a file share. Raises NotAnImage for objects without pixels."""
    data = header.elements
    sop_class = data.text(0x00080016)
    modality = data.text(0x00080060)
    _require_image(data, sop_class, modality)
    whole, text = data.whole_number, data.text
    tag = next(tag for tag in reversed(PIXELS) if tag in data)
    _, start, length = data.places[tag]
    allocated = whole(0x00280100, 16)
    if not 0 < allocated <= _MOST_BITS:
        raise NotAnImage(f"an image whose numbers have {allocated} bits")
    stored = whole(0x00280101, allocated)
    stored = stored if 0 < stored <= allocated else allocated
    who = "\0".join(text(tag) for tag in (0x00100020, 0x00100010, 0x00100030))
    return Instance(
        path=path,
        size=header.size,
        syntax=header.syntax,
        little=data.little,
        pixels=(tag, start, length),
        rows=whole(0x00280010),
        columns=whole(0x00280011),
        samples=whole(0x00280002, 1),
        photometric=text(0x00280004) or "MONOCHROME2",
        planar=whole(0x00280006),
        allocated=allocated,
        stored=stored,
        high_bit=whole(0x00280102, stored - 1),
        signed=whole(0x00280103) == 1,
        frames=max(whole(0x00280008, 1), 1),
        padding=_padding(data),
        lossy=text(0x00282110) == "01",
        burned_in=text(0x00280301).upper() == "YES",
        sop_class=sop_class,
        sop_uid=text(0x00080018),
        series_uid=text(0x0020000E),
        study_uid=text(0x0020000D),
        frame_of_reference=text(0x00200052),
        patient=hashlib.blake2b(who.encode(), digest_size=8).hexdigest() if who.strip("\0") else "",
        modality=modality,
        series_number=whole(0x00200011),
        series_time=text(0x00080031),
        description=text(0x0008103E),
        protocol=text(0x00181030),
        manufacturer=text(0x00080070),
        model=text(0x00081090),
        software=text(0x00181020),
        body_part=text(0x00180015),
        number=whole(0x00200013),
    )


def _padding(data: Elements) -> tuple[float, ...]:
    """Pixel Padding Value and the end of its range; signed as the pixels are."""
    signed = data.whole_number(0x00280103) == 1
    bits = data.whole_number(0x00280100, 16)
    kind = b"SS" if signed else b"US"
    values = (*data.numbers(0x00280120, kind=kind)[:1], *data.numbers(0x00280121, kind=kind)[:1])
    if not signed:
        return values
    return tuple(value - (1 << bits) if value >= 1 << (bits - 1) else value for value in values)


def _require_image(data: Elements, sop_class: str, modality: str) -> None:
    best = max((uid for uid in _NO_IMAGES if _within(sop_class, uid)), key=len, default="")
    if best:
        raise NotAnImage(_NO_IMAGES[best])
    if modality in _NO_IMAGE_MODALITIES:
        raise NotAnImage(_NO_IMAGE_MODALITIES[modality])
    if 0x00041220 in data:
        raise NotAnImage("a DICOMDIR (an index of files)")
    if not any(tag in data for tag in PIXELS):
        # Of a standard class not named above, or cut within or before the class.
        if _within(sop_class, _STORAGE) or _STORAGE.startswith(sop_class):
            raise NotAnImage(WITHOUT_PIXELS)
        raise NotAnImage("a private data set without pixels")
    if data.whole_number(0x00280010) <= 0 or data.whole_number(0x00280011) <= 0:
        raise NotAnImage("an image that does not say how many pixels it has")


def _within(uid: str, root: str) -> bool:
    return uid == root or uid.startswith(root + ".")


def classic_frame(data: Elements, instance: Instance) -> Frame:
    """The one frame of a single-frame object; of others what holds for every frame."""
    image_type = tuple(part.upper() for part in data.texts(0x00080008))
    position, orientation = vectors(data)
    spacing = pixel_spacing(data)
    slope, inter = data.number(0x00281053), data.number(0x00281052)
    b_value, direction = diffusion.weighting(data)
    return Frame(
        instance,
        rows=instance.rows,
        columns=instance.columns,
        position=position,
        orientation=orientation,
        spacing=spacing,
        thickness=thickness(data),
        slope=slope if slope else 1.0,
        inter=inter or 0.0,
        image_type=image_type,
        component=_component(data, image_type),
        echo_time=data.number(0x00180081),
        echo=data.whole_number(0x00180086),
        repetition_time=data.number(0x00180080),
        inversion_time=data.number(0x00180082),
        flip_angle=data.number(0x00181314),
        scanning=data.texts(0x00180020),
        sequence=data.text(0x00180024),
        contrast=data.text(0x00180010),
        coil=data.text(0x00181250),
        b_value=b_value,
        direction=direction,
        temporal=data.whole_number(0x00200100),
        trigger=data.number(0x00181060),
        time=_acquired(data),
        acquisition=data.whole_number(0x00200012),
        number=instance.number,
        real_world=real_world(data.item(0x00409096)),
        refusal=_LOOK_UP if data.item(0x00283000) is not None else "",
        refusal_hint=_EXPORT if 0x00283000 in data else "",
    )


def real_world(item: Elements | None) -> tuple[float, float] | None:
    """Slope and intercept of a linear real-world value map (PS3.3 C.7.6.16.2.11)."""
    if item is None:
        return None
    slope, inter = item.number(0x00409225), item.number(0x00409224)
    return (slope, inter or 0.0) if slope else None


def _component(data: Elements, image_type: tuple[str, ...]) -> str:
    """Magnitude, phase, real or imaginary: Complex Image Component, GE's own, Image Type."""
    said = complex_component(data.text(0x00089208))
    if said:
        return said
    tag = data.private(0x0043, "GEMS_PARM_01", 0x2F)
    if tag:
        kind = data.numbers(tag, kind=b"SS")
        if kind and kind[0] in _GE_COMPONENTS:
            return _GE_COMPONENTS[int(kind[0])]
    return component_of(image_type)


def complex_component(text: str) -> str:
    """Complex Image Component in our words; empty where it says none or MIXED."""
    return _COMPONENTS.get(text.upper(), "")


def component_of(image_type: tuple[str, ...]) -> str:
    """What the values of Image Type from the third on say of the complex component."""
    for part in image_type[2:]:
        if part in _COMPONENTS:
            return _COMPONENTS[part]
        if part[:2] in ("M_", "P_", "R_", "I_"):
            return _COMPONENTS[part[0]]
    return "magnitude"


def vectors(data: Elements) -> tuple[Vector | None, tuple[Vector, Vector] | None]:
    """Image Position and Image Orientation (Patient), where each is whole and finite."""
    place = data.numbers(0x00200032)
    lines = data.numbers(0x00200037)
    return position_of(place), orientation_of(lines)


def position_of(place: tuple[float, ...]) -> Vector | None:
    """Three finite numbers, or None."""
    if len(place) != 3 or not all(map(math.isfinite, place)):
        return None
    return place[0], place[1], place[2]


def orientation_of(lines: tuple[float, ...]) -> tuple[Vector, Vector] | None:
    """Two directions of unit length at right angles, or None."""
    if len(lines) != 6 or not all(map(math.isfinite, lines)):
        return None
    row, column = lines[:3], lines[3:]
    lengths = math.hypot(*row), math.hypot(*column)
    skew = sum(a * b for a, b in zip(row, column, strict=True))
    if any(abs(length - 1) > 0.02 for length in lengths) or abs(skew) > 0.02:
        return None
    return (row[0], row[1], row[2]), (column[0], column[1], column[2])


def pixel_spacing(data: Elements) -> tuple[float, float] | None:
    """Distance of rows and of columns in mm (the order of the standard), or None."""
    for tag in (0x00280030, 0x00181164):  # Pixel Spacing, else Imager Pixel Spacing
        values = data.numbers(tag)
        if len(values) == 2 and all(_LENGTHS[0] <= value <= _LENGTHS[1] for value in values):
            return values[0], values[1]
    return None


def thickness(data: Elements) -> float | None:
    """Slice Thickness in mm, or None where it is missing or no length."""
    value = data.number(0x00180050)
    return value if value is not None and _LENGTHS[0] <= value <= _LENGTHS[1] else None


def _acquired(data: Elements) -> float | None:
    """Acquisition time in seconds."""
    whole = instant(data.text(0x0008002A))
    return instant(data.text(0x00080022) + data.text(0x00080032)) if whole is None else whole


def instant(text: str) -> float | None:
    """Seconds since a fixed day of a date and time (YYYYMMDDHHMMSS.ffffff), or of a time alone."""
    text = text.strip().replace(".", "", 2) if text.count(".") == 3 else text.strip()
    day, clock = (text[:8], text[8:]) if len(text.split(".")[0].split("+")[0]) >= 12 else ("", text)
    match = _MOMENT.match(clock)
    if not match:
        return None
    hours, minutes, seconds, part = match.groups()
    days = 0
    if day:
        try:
            days = date(int(day[:4]), int(day[4:6]), int(day[6:8])).toordinal()
        except ValueError:
            return None
    clock_seconds = int(hours) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    return days * 86400 + clock_seconds + float(part or 0)
