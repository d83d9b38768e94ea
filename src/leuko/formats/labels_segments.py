"""Names and colours of the segments in the header of 3D Slicer's .seg.nrrd."""

from __future__ import annotations

import re

from leuko.formats.labels import LabelTable, label_table
from leuko.image.image import Image

__all__ = ["segment_labels"]

_KEY = re.compile(r"^Segment(\d+)_(Name|Color|LabelValue|Layer):=(.*)$", re.MULTILINE)


def segment_labels(image: Image) -> LabelTable:
    """The table in an image's NRRD header; empty where it has none, or overlapping layers."""
    if image.source is None or image.source.format != "nrrd" or image.data.ndim != 3:
        return LabelTable()
    text = image.source.header.decode("utf-8", errors="replace").replace("\r\n", "\n")
    segments: dict[str, dict[str, str]] = {}
    for number, key, value in _KEY.findall(text):
        segments.setdefault(number, {})[key] = value.strip()
    names: dict[int, str] = {}
    colours: dict[int, tuple[int, int, int]] = {}
    for about in segments.values():
        value = about.get("LabelValue", "")
        if not value.isdigit() or int(value) == 0:
            continue
        names[int(value)] = about.get("Name", "")
        colour = _colour(about.get("Color", ""))
        if colour:
            colours[int(value)] = colour
    return label_table(names, colours)


def _colour(text: str) -> tuple[int, int, int] | None:
    try:
        parts = [min(max(float(word), 0.0), 1.0) for word in text.split()]
    except ValueError:
        return None
    if len(parts) != 3:
        return None
    return round(255 * parts[0]), round(255 * parts[1]), round(255 * parts[2])
