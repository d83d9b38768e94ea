"""What a stack shows, from Image Type, SOP class and name: anatomy, localizer, map, capture."""

from __future__ import annotations

import re
from collections.abc import Sequence

from leuko.dicom.frame import Frame

__all__ = ["is_anatomy", "is_colour", "kind_of", "map_of"]

_CAPTURES = "1.2.840.10008.5.1.4.1.1.7"  # Secondary Capture, and its multi-frame kinds
_LOCALIZER = re.compile(
    r"\b(loc|localizer|localiser|localizador|lokalizer|localis\w*|scout|survey|scano\w*|pilot|"
    r"3.?plane|three.?plane|planscan|aahead_?scout|topogram)",
    re.IGNORECASE,
)
_MAPS = {
    "ADC": "ADC map", "FA": "FA map", "TRACEW": "trace-weighted", "EXP": "exponential ADC",
    "CBF": "perfusion map", "CBV": "perfusion map", "MTT": "perfusion map", "TTP": "perfusion map",
    "TMAX": "perfusion map", "T1 MAP": "T1 map", "T2 MAP": "T2 map", "T2_STAR_MAP": "T2* map",
    "R2_MAP": "R2 map", "FIELD_MAP": "field map", "FIELDMAPHZ": "field map", "B0": "field map",
    "B0 MAP": "field map", "SUBTRACTION": "subtraction", "SUB": "subtraction", "MIP": "projection",
    "MIN_IP": "projection", "MINIP": "projection", "MAX_IP": "projection", "MEAN": "mean",
    "PROJECTION IMAGE": "projection", "CSA 3D EDITOR": "projection", "MPR": "reformatted",
    "REFORMATTED": "reformatted", "CSAPARALLEL": "reformatted", "RCBV": "perfusion map",
    "MOSAIC_MEAN": "mean", "PHASE DIFFERENCE": "phase", "VELOCITY MAP": "velocity map",
    "VELOCITY": "velocity map", "DIFFUSION_ANISO": "FA map", "ERROR": "error map",
}  # fmt: skip


def kind_of(frames: Sequence[Frame], *, planes: int = 1) -> str:
    """What the frames of one stack show; `planes` is in how many directions its series lies."""
    first = frames[0]
    types = first.image_type
    if is_localizer(first) or planes >= 3:
        return "localizer"
    if first.instance.sop_class.startswith(_CAPTURES):
        return "secondary capture"
    if is_colour(first):
        return "colour"
    shown = map_of(types)
    if shown:
        return shown
    if first.component != "magnitude":
        return first.component
    if types[:1] == ("DERIVED",):
        return "derived"
    return "magnitude" if first.instance.modality == "MR" else "original"


def map_of(image_type: Sequence[str]) -> str:
    """The map or projection that Image Type names; empty where it names none."""
    return next((_MAPS[part] for part in image_type[2:] if part in _MAPS), "")


def is_localizer(frame: Frame) -> bool:
    """Whether Image Type or the series' name calls it a localizer."""
    if any(part in ("LOCALIZER", "SCOUT") for part in frame.image_type):
        return True
    instance = frame.instance
    return bool(_LOCALIZER.search(instance.description or instance.protocol))


def is_colour(frame: Frame) -> bool:
    """Whether a pixel holds more than one number, or the index of a colour."""
    instance = frame.instance
    return instance.samples > 1 or instance.photometric.startswith("PALETTE")


def is_anatomy(kind: str) -> bool:
    """Whether a stack of this kind may show anatomy as it was measured."""
    return kind in ("magnitude", "original", "derived", "reformatted", "mean")
