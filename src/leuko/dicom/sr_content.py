"""Content items of structured reports (PS3.3 C.17.3), one small function a value type."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.dataset import Dataset

from leuko.dicom.codes import Code, coded, items

__all__ = ["code", "container", "image", "number", "text", "uid"]

CONTAINS, MODIFIER, CONTEXT = "CONTAINS", "HAS CONCEPT MOD", "HAS OBS CONTEXT"
ACQUIRED = "HAS ACQ CONTEXT"


def container(
    name: Code, content: Sequence[Dataset], *, relation: str = CONTAINS, template: str = ""
) -> Dataset:
    """A heading with what it holds; `template` is the number of the TID it follows."""
    item = _item("CONTAINER", name, relation)
    item.ContinuityOfContent = "SEPARATE"
    if template:
        used = Dataset()
        used.MappingResource = "DCMR"
        used.TemplateIdentifier = template
        item.ContentTemplateSequence = items(used)
    if content:
        item.ContentSequence = items(*content)
    return item


def text(name: Code, value: str, *, relation: str = CONTAINS) -> Dataset:
    """A text."""
    item = _item("TEXT", name, relation)
    item.TextValue = value
    return item


def code(
    name: Code, value: Code, *, relation: str = CONTAINS, content: Sequence[Dataset] = ()
) -> Dataset:
    """A concept as value, perhaps with modifiers of its own."""
    item = _item("CODE", name, relation)
    item.ConceptCodeSequence = items(coded(value))
    if content:
        item.ContentSequence = items(*content)
    return item


def uid(name: Code, value: str, *, relation: str = CONTAINS) -> Dataset:
    """A UID as value."""
    item = _item("UIDREF", name, relation)
    item.UID = value
    return item


def number(name: Code, value: float, unit: Code) -> Dataset:
    """A measurement: its value with six significant digits, and in full as floating point."""
    measured = Dataset()
    measured.NumericValue = f"{value:.6g}"
    measured.FloatingPointValue = float(value)
    measured.MeasurementUnitsCodeSequence = items(coded(unit))
    item = _item("NUM", name, CONTAINS)
    item.MeasuredValueSequence = items(measured)
    return item


def image(
    class_uid: str, instance_uid: str, *, name: Code | None = None, segment: int | None = None
) -> Dataset:
    """A reference to an image, or to a segment of a segmentation."""
    item = _item("IMAGE", name, CONTAINS)
    reference = Dataset()
    reference.ReferencedSOPClassUID = class_uid
    reference.ReferencedSOPInstanceUID = instance_uid
    if segment is not None:
        reference.ReferencedSegmentNumber = segment
    item.ReferencedSOPSequence = items(reference)
    return item


def _item(kind: str, name: Code | None, relation: str) -> Dataset:
    item = Dataset()
    if relation:
        item.RelationshipType = relation
    item.ValueType = kind
    if name is not None:
        item.ConceptNameCodeSequence = items(coded(name))
    return item
