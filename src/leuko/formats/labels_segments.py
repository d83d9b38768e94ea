"""Names and colours of the segments in the header of 3D Slicer's .seg.nrrd."""

from __future__ import annotations

import re

from leuko.findings import Finding, Severity
from leuko.formats.labels import LabelTable, label_table
from leuko.image.image import Image

__all__ = ["layers_apart", "segment_labels"]

_KEY = re.compile(r"^Segment(\d+)_(Name|Color|LabelValue|Layer):=(.*)$", re.MULTILINE)


def segment_labels(image: Image, *, layer: int | None = None) -> LabelTable:
    """The table in an image's NRRD header; empty where it has none.

    Segments that overlap lie in layers, the volumes of the image: the same value means another
    segment in each. Then the table is that of `layer`, and empty where none is chosen.
    """
    if image.source is None or image.source.format != "nrrd":
        return LabelTable()
    if image.data.ndim != 3 and layer is None:
        return LabelTable()
    text = image.source.header.decode("utf-8", errors="replace").replace("\r\n", "\n")
    segments: dict[str, dict[str, str]] = {}
    for number, key, value in _KEY.findall(text):
        segments.setdefault(number, {})[key] = value.strip()
    names: dict[int, str] = {}
    colours: dict[int, tuple[int, int, int]] = {}
    for about in segments.values():
        if image.data.ndim != 3 and about.get("Layer", "0") != str(layer):
            continue
        value = about.get("LabelValue", "")
        if not value.isdigit() or int(value) == 0:
            continue
        names[int(value)] = about.get("Name", "")
        colour = _colour(about.get("Color", ""))
        if colour:
            colours[int(value)] = colour
    return label_table(names, colours)


def layers_apart(image: Image, *, layer: int | None) -> tuple[Finding, ...]:
    """That names are lost where several layers of segments are written, and none is chosen."""
    if layer is not None or image.data.ndim == 3:
        return ()
    if not any(segment_labels(image, layer=number) for number in range(image.volumes)):
        return ()
    return (
        Finding(
            "convert.layers",
            Severity.WARNING,
            f"The segments lie in {image.volumes} layers, because they may overlap: the layers are "
            "written as volumes, the names are lost.",
            "Write them one by one, with names: --volume 0, --volume 1 and so on.",
        ),
    )


def _colour(text: str) -> tuple[int, int, int] | None:
    try:
        parts = [min(max(float(word), 0.0), 1.0) for word in text.split()]
    except ValueError:
        return None
    if len(parts) != 3:
        return None
    return round(255 * parts[0]), round(255 * parts[1]), round(255 * parts[2])
