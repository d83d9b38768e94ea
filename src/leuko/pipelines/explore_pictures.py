"""Pictures of cases: the slice that shows most of the foreground, its mask outlined."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from leuko.errors import LeukoError
from leuko.exploration.facts import Case, Facts
from leuko.exploration.labels import body_view, whole_labels
from leuko.exploration.measure import channels_of
from leuko.exploration.suggest import ORDER, Axis
from leuko.formats.read import read
from leuko.pipelines.explore import Exploration
from leuko.report.document import Picture
from leuko.report.exploration_tiles import Tile, class_colours, tile_jpeg
from leuko.report.exploration_values import CasePicture
from leuko.report.planes import Window, plane_of

if TYPE_CHECKING:
    from leuko.datasets.items import Item

__all__ = ["MOST_ODD", "MOST_PICTURES", "pictures_of", "slice_axis"]

MOST_PICTURES, MOST_ODD = 24, 12
SOFT_TISSUE = Window(-160.0, 240.0)
NAMES: Mapping[Axis, str] = {"axial": "axial", "coronal": "coronal", "sagittal": "sagittal"}

Array = npt.NDArray[np.generic]


def pictures_of(found: Exploration) -> tuple[CasePicture, ...]:
    """Up to 24 cases: unusual ones first, then others at even distances; each is read again."""
    items = {item.name: item for item in found.items}
    why: dict[str, list[str]] = {}
    for item in found.outliers:
        why.setdefault(item.case, []).append(item.code.replace("_", " "))
    cases = {case.name: case for case in found.survey.cases}
    odd = [name for name in why if _shows(cases[name])][:MOST_ODD]
    rest = [case for case in found.survey.cases if case.name not in why and _shows(case)]
    filled = [case for case in rest if case.facts and case.facts.label and case.facts.label.classes]
    room = MOST_PICTURES - len(odd)
    rest = filled if len(filled) >= room else rest
    step = max(1.0, len(rest) / room)
    chosen = [rest[int(step * n)].name for n in range(min(len(rest), room))]
    colours = class_colours(tuple(row.value for row in found.overview.classes))
    shown = []
    for name in [*odd, *chosen]:
        picture = _picture(cases[name], items[name], axis=slice_axis(found), colours=colours)
        if picture is not None:
            shown.append(
                CasePicture(
                    name, picture[1], picture[0], ", ".join(dict.fromkeys(why.get(name, ())))
                )
            )
    return tuple(shown)


def slice_axis(found: Exploration) -> Axis:
    """The axis across which slices are shown: that of the suggestion."""
    return "axial" if found.suggestion is None else found.suggestion.axis


def _shows(case: Case) -> bool:
    """Whether there is anything to be seen."""
    return case.facts is not None and not case.facts.channels[0].constant


def _picture(
    case: Case, item: Item, *, axis: Axis, colours: Mapping[int, str]
) -> tuple[Picture, str] | None:
    """The picture and what it shows; None where the file is no longer there."""
    facts = case.facts
    try:
        image = read(item.images[0])
        label = None if item.label is None else read(item.label)
    except LeukoError:
        return None
    if facts is None:
        return None
    values: Array = channels_of(image)[0]
    labels = None
    if label is not None and facts.label is not None and not facts.label.mismatch:
        data = label.data[..., 0] if label.data.ndim == 4 else label.data
        labels = whole_labels(body_view(data, label.grid))[0]
    across = 2 if facts.picture else ORDER[axis][0]
    index, pixels = _fullest(labels, across, values.shape[across])
    tile = Tile(
        values=_plane(values, across, index, picture=facts.picture),
        labels=None if labels is None else _plane(labels, across, index, picture=facts.picture),
        pixel=_pixel(facts, across),
        window=_window(facts),
    )
    data_jpeg, width, height = tile_jpeg(tile, colours=colours)
    text = "" if facts.picture else f"{NAMES[axis]} slice {index + 1} of {values.shape[across]}"
    if facts.label is not None and not pixels:
        text = f"{text}, no foreground".lstrip(", ")
    picture = Picture(case.name, "", f"A slice of {case.name}", data_jpeg, width, height)
    return picture, text


def _fullest(labels: npt.NDArray[np.int32] | None, axis: int, length: int) -> tuple[int, int]:
    """The slice with the most foreground, and how much; the middle one where there is none."""
    if labels is None or not labels.any():
        return length // 2, 0
    others = tuple(other for other in range(3) if other != axis)
    counts = np.count_nonzero(labels, axis=others)
    return int(counts.argmax()), int(counts.max())


def _plane(volume: npt.NDArray[Any], axis: int, index: int, *, picture: bool) -> npt.NDArray[Any]:
    """Rows and columns: of a picture the file's own, of a volume in radiological convention."""
    if picture:
        return volume[:, :, 0].T
    return plane_of(volume, axis=axis, index=index)


def _pixel(facts: Facts, across: int) -> tuple[float, float]:
    """Height and width of a voxel in the slice."""
    if facts.picture:
        return facts.spacing[1], facts.spacing[0]
    columns, rows = (world for world in range(3) if world != across)
    return facts.body_spacing[rows], facts.body_spacing[columns]


def _window(facts: Facts) -> Window:
    known = facts.channels[0]
    if known.scale == "hounsfield":
        return SOFT_TISSUE
    if known.scale == "grey":
        return Window(0.0, 255.0)
    return Window(known.percentiles[0], max(known.percentiles[-1], known.percentiles[0] + 1e-6))
