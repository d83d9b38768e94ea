"""Names and colours of the label maps that leuko itself writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from leuko.anatomy.tissues import LABEL_NAMES
from leuko.errors import UsageError
from leuko.formats.labels import LabelTable, label_table, read_labels
from leuko.formats.labels_segments import segment_labels
from leuko.image.image import Image
from leuko.models.classes import Tissue
from leuko.report.palette import SIZE, rgb

__all__ = [
    "OWN_LABELS",
    "REGION_VALUES",
    "anatomy_labels",
    "given_names",
    "names_in",
    "region_labels",
    "wmh_labels",
]

# Tissues as anatomists' atlases paint them; the right side is darker than the left.
_COLOURS = {
    Tissue.CSF: (96, 144, 200),
    Tissue.CORTEX: (205, 120, 110),
    Tissue.DEEP_GREY: (150, 90, 170),
    Tissue.WHITE_MATTER: (236, 226, 200),
    Tissue.VENTRICLES: (60, 100, 220),
    Tissue.BRAINSTEM: (120, 150, 90),
    Tissue.CEREBELLUM: (225, 160, 60),
}
_DARKER = 0.75
REGION_VALUES: Mapping[str, int] = MappingProxyType(
    {
        "periventricular": 1,
        "deep_white": 2,
        "juxtacortical": 3,
        "infratentorial": 4,
        "unknown": 5,
    }
)
_RIGHT = 20


def wmh_labels() -> LabelTable:
    """`wmh.nii.gz`: 1 is a white matter hyperintensity, in the colour of large lesions."""
    return label_table({1: "White matter hyperintensity"}, {1: rgb(SIZE["large"])})


def anatomy_labels() -> LabelTable:
    """`anatomy.nii.gz`: every tissue, left and right apart."""
    colours = {}
    for value in LABEL_NAMES:
        if value:
            part = _DARKER if value >= _RIGHT else 1.0
            red, green, blue = _COLOURS[Tissue(value % 10)]
            colours[value] = (round(red * part), round(green * part), round(blue * part))
    names = {value: name[0].upper() + name[1:] for value, name in LABEL_NAMES.items()}
    return label_table(names, colours)


def region_labels() -> LabelTable:
    """`regions.nii.gz`: the region of each lesion; colours stay apart for the colour-blind."""
    names = {
        1: "Periventricular lesion",
        2: "Deep white matter lesion",
        3: "Juxtacortical lesion",
        4: "Infratentorial lesion",
        5: "Lesion, region not known",
    }
    colours = {
        1: (230, 159, 0),
        2: (0, 114, 178),
        3: (0, 158, 115),
        4: (204, 121, 167),
        5: (150, 150, 150),
    }
    return label_table(names, colours)


OWN_LABELS: Mapping[str, Callable[[], LabelTable]] = MappingProxyType(
    {"wmh": wmh_labels, "anatomy": anatomy_labels, "regions": region_labels}
)


def names_in(image: Image, path: Path) -> LabelTable:
    """The names that a label map brings along: those of segments, or leuko's own by file name."""
    if image.source is not None and image.source.format == "dicom-seg":
        from leuko.dicom.seg_reader import segment_names

        return label_table(segment_names(path)) if path.is_file() else LabelTable()
    own = OWN_LABELS.get(path.name.split(".")[0])
    return segment_labels(image) or (own() if own else LabelTable())


def given_names(text: str | None) -> dict[int, str]:
    """Label names from '1=anterior,2=posterior', or from a file with a table of labels.

    Raises UsageError (exit 2) for anything else, ReadError (exit 3) for a file that is no table.
    """
    if not text:
        return {}
    if Path(text).is_file():
        return {label.value: label.name for label in read_labels(Path(text))}
    names = {}
    for part in text.split(","):
        value, separator, name = part.partition("=")
        if not (separator and value.strip().isdigit() and name.strip()):
            raise UsageError(
                f"'{part.strip()}' names no label.",
                hint="Write --names 1=anterior,2=posterior, or give a file with a table of labels.",
            )
        names[int(value)] = name.strip()
    return names
