"""Pictures of change: both visits side by side in the half-way space, lesions outlined by class."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image as Pictures
from PIL import ImageDraw
from scipy import ndimage

from leuko.change.compare import Comparison, lesions_at
from leuko.change.lesions import ChangedLesion
from leuko.change.seen import Seen
from leuko.image.grid import Grid
from leuko.image.image import Image, to_canonical
from leuko.registration.transforms import Affine
from leuko.report.change_colours import COLOURS, colour_name
from leuko.report.document import Picture
from leuko.report.palette import rgb
from leuko.report.sheet import font_for, outline
from leuko.report.wording import Wording

__all__ = ["Sight", "change_pictures"]

WIDTH, GAP = 1400, 10
CROP_MM = 64.0
HEADING = 44
MOST_BLOCKS = 8
MAP_COLUMNS, MAP_SLICES = 6, 18
INK, SHADE = (238, 242, 245), (0, 0, 0)
DARKEST = 0.15  # of white matter's brightness
WHITEST = (1.6, 3.0)  # between these, at what nearly all lesions stay below
NAMES = tuple(COLOURS)
Box = tuple[float, float, float, float]  # first and last x, first and last y, voxels


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """One visit as it is drawn: its scan, where the half-way space lies in it, its lesions.

    lesions: row numbers on the half-way grid. codes: for each row number, 1 + its place in COLOURS.
    white: how bright white matter is; whitest: what is shown white, as a multiple of it.
    """

    data: npt.NDArray[np.float32]
    grid: Grid
    to: Affine
    space: Grid
    white: float
    whitest: float
    lesions: npt.NDArray[np.int32]
    codes: npt.NDArray[np.uint8]

    def grey(self, z: float, box: Box, size: tuple[int, int]) -> Pictures.Image:
        """The slice at `z` of the half-way grid within `box`, in radiological convention."""
        width, height = size
        x = np.linspace(box[1], box[0], 2 * width + 1)[1::2]  # the patient's right is on the left
        y = np.linspace(box[3], box[2], 2 * height + 1)[1::2]  # the front is on top
        across, down = np.meshgrid(x, y)
        points = np.stack([across, down, np.full_like(across, z)], axis=-1)
        where = self.grid.to_voxel(self.to.apply_to_points(self.space.to_world(points)))
        values = ndimage.map_coordinates(self.data, np.moveaxis(where, -1, 0), order=1)
        share = values / self.white
        scaled = (share - DARKEST) / (self.whitest - DARKEST) * 255
        return Pictures.fromarray(np.clip(scaled, 0, 255).astype(np.uint8))

    def rings(
        self, z: int, box: Box, size: tuple[int, int], thickness: float
    ) -> list[tuple[str, Pictures.Image, tuple[int, int]]]:
        """An outline of each class in the slice: its name, the line, its place."""
        x0, x1, y0, y1 = (round(edge + 0.5) for edge in box)
        plane = self.codes[self.lesions[x0:x1, y0:y1, z]][::-1, ::-1].T
        found = []
        for number, name in enumerate(NAMES, start=1):
            if (plane == number).any():
                line, place = outline(plane == number, size=size, thickness=thickness)
                found.append((name, line, place))
        return found


class _Board:
    """A dark sheet in colour."""

    def __init__(self, width: int, height: int) -> None:
        self.picture = Pictures.new("RGB", (width, height), (12, 16, 20))
        self.pen = ImageDraw.Draw(self.picture)

    def panel(
        self, sight: Sight, z: int, box: Box, place: tuple[int, int], size: tuple[int, int],
        *, thickness: float, outlines: bool = True,
    ) -> None:  # fmt: skip
        """A slice with its outlines."""
        part = Pictures.merge("RGB", (sight.grey(z, box, size),) * 3)
        for name, line, (left, top) in sight.rings(z, box, size, thickness) if outlines else []:
            part.paste(rgb(COLOURS[name]), (left, top), line)
        self.picture.paste(part, place)

    def write(
        self, x: float, y: float, text: str, *, size: int, anchor: str = "lt",
        colour: tuple[int, int, int] = INK,
    ) -> None:  # fmt: skip
        """Letters with a dark edge."""
        font = font_for(text, size)
        self.pen.text((x, y), text, colour, font, anchor, stroke_width=2, stroke_fill=SHADE)

    def jpeg(self, name: str, *, caption: str, alt: str) -> Picture:
        """The finished picture."""
        stream = io.BytesIO()
        self.picture.save(stream, "JPEG", quality=88, subsampling=0)
        width, height = self.picture.size
        return Picture(name, caption, alt, stream.getvalue(), width, height)


def change_pictures(
    comparison: Comparison,
    *,
    images: tuple[Image, Image],
    names: tuple[str, str],
    lesions: Sequence[ChangedLesion],
    words: Wording,
) -> tuple[Picture, ...]:
    """The key slices, the changed lesions one by one, and the map of change.

    `images` are the scans of both visits, `names` what is written on them, `lesions` in the order
    of the comparison's rows.
    """
    sights = _sights(comparison, images, lesions)
    shown = _by_change(lesions)
    pictures = [_key(sights, shown, names, words)]
    if shown:
        pictures.append(_changes(sights, shown[:MOST_BLOCKS], len(shown), names, words))
    pictures.append(_map(sights, words))
    return tuple(pictures)


def _sights(
    comparison: Comparison, images: tuple[Image, Image], lesions: Sequence[ChangedLesion]
) -> tuple[Sight, Sight]:
    codes = np.zeros(len(lesions) + 1, dtype=np.uint8)
    for lesion in lesions:
        codes[lesion.number] = 1 + NAMES.index(colour_name(lesion.kind))
    space, pair = comparison.space, comparison.pair
    labels = lesions_at(comparison)
    whitest = max(
        _whitest(seen, own) for seen, own in zip((pair.first, pair.second), labels, strict=True)
    )
    first, second = (
        Sight(
            np.asarray(to_canonical(image.data, image.grid), dtype=np.float32),
            image.grid.canonical(),
            to,
            pair.grid,
            seen.white,
            whitest,
            own,
            codes,
        )
        for image, to, seen, own in zip(
            images,
            (space.to_first, space.to_second),
            (pair.first, pair.second),
            labels,
            strict=True,
        )
    )
    return first, second


def _whitest(seen: Seen, lesions: npt.NDArray[np.int32]) -> float:
    """What nearly all lesions stay below, as a multiple of white matter's brightness."""
    bright = seen.brightness[lesions > 0]
    most = float(np.quantile(bright, 0.95)) if bright.size else 1.0
    return float(np.clip(1.1 * (1 + seen.contrast * most), *WHITEST))


def _by_change(lesions: Sequence[ChangedLesion]) -> list[ChangedLesion]:
    """Changed lesions, the largest change first."""
    changed = [one for one in lesions if colour_name(one.kind) != "stable"]
    return sorted(changed, key=lambda one: (-abs(one.change_mm3), one.number))


def _whole(sight: Sight) -> Box:
    x, y, _ = sight.space.shape
    return (-0.5, x - 0.5, -0.5, y - 0.5)


def _slice_of(sights: tuple[Sight, Sight], number: int | None) -> int:
    """The slice where a lesion changed most (or is largest); of none the fullest of all."""
    first, second = (sight.lesions for sight in sights)
    if number is None:
        amount = ((first > 0) | (second > 0)).sum(axis=(0, 1))
    else:
        amount = ((first == number) != (second == number)).sum(axis=(0, 1))
    return int(amount.argmax()) if amount.any() else round(0.55 * first.shape[2])


def _key(
    sights: tuple[Sight, Sight],
    shown: Sequence[ChangedLesion],
    names: tuple[str, str],
    words: Wording,
) -> Picture:
    z = _slice_of(sights, shown[0].number if shown else None)
    box = _whole(sights[0])
    width = (WIDTH - GAP) // 2
    height = round(width * (box[3] - box[2]) / (box[1] - box[0]))
    board = _Board(2 * width + GAP, HEADING + height)
    for column, (sight, name) in enumerate(zip(sights, names, strict=True)):
        left = column * (width + GAP)
        board.panel(sight, z, box, (left, HEADING), (width, height), thickness=2.4)
        board.write(left + width / 2, HEADING / 2, name, size=26, anchor="mm")
        if sight.space.oriented:
            top = HEADING + 14
            board.write(left + 14, top, words("letter.right"), size=30)
            board.write(left + width - 14, top, words("letter.left"), size=30, anchor="rt")
    caption = words("picture.key" if shown else "picture.key.stable")
    return board.jpeg("key", caption=caption, alt=words("picture.key.alt"))


def _changes(
    sights: tuple[Sight, Sight],
    shown: Sequence[ChangedLesion],
    total: int,
    names: tuple[str, str],
    words: Wording,
) -> Picture:
    side = (WIDTH - 3 * GAP) // 4
    head = 34
    rows = -(-len(shown) // 2)
    board = _Board(4 * side + 3 * GAP, rows * (side + head + GAP) - GAP)
    for index, lesion in enumerate(shown):
        row, column = divmod(index, 2)
        left, top = column * 2 * (side + GAP), row * (side + head + GAP)
        z = _slice_of(sights, lesion.number)
        box = _crop(sights, lesion.number, z)
        for number, (sight, name) in enumerate(zip(sights, names, strict=True)):
            at = left + number * (side + GAP // 2)
            board.panel(sight, z, box, (at, top + head), (side, side), thickness=2.2)
            board.write(at + 8, top + head + side - 8, name, size=17, anchor="ls")
        text = words(
            "picture.lesion",
            number=lesion.number,
            kind=words(f"class.{lesion.kind}"),
            before=words.numerals.volume(lesion.baseline_mm3),
            after=words.numerals.volume(lesion.followup_mm3),
        )
        board.write(left + 2, top + head - 9, text, size=20, anchor="ls",
                    colour=rgb(COLOURS[colour_name(lesion.kind)]))  # fmt: skip
    key = "picture.changes" if len(shown) == total else "picture.changes.some"
    caption = words(key, shown=len(shown), count=total, size=f"{CROP_MM:g}")
    return board.jpeg("changes", caption=caption, alt=words("picture.changes.alt"))


def _crop(sights: tuple[Sight, Sight], number: int, z: int) -> Box:
    """A square around a lesion in a slice, inside the grid."""
    there = (sights[0].lesions[:, :, z] == number) | (sights[1].lesions[:, :, z] == number)
    centre = np.argwhere(there).mean(axis=0) if there.any() else np.array(there.shape) / 2
    half = CROP_MM / 2 / sights[0].space.spacing[0]
    edges = []
    for middle, length in zip(centre.tolist(), there.shape, strict=True):
        low = round(min(max(middle - half, 0), max(length - 2 * half, 0))) - 0.5
        edges += [low, low + 2 * half]
    return (edges[0], edges[1], edges[2], edges[3])


def _map(sights: tuple[Sight, Sight], words: Wording) -> Picture:
    """Slices of the last visit with every lesion, those that are gone too."""
    first, second = sights
    gone = (second.lesions == 0) & (first.lesions > 0)
    both = Sight(
        second.data, second.grid, second.to, second.space, second.white, second.whitest,
        np.where(gone, first.lesions, second.lesions), second.codes,
    )  # fmt: skip
    held = np.flatnonzero((both.lesions > 0).any(axis=(0, 1)))
    deep = both.lesions.shape[2]
    low, high = (held[0], held[-1]) if held.size else (deep // 4, 3 * deep // 4)
    step = max(2, -(-(int(high) - int(low) + 1) // MAP_SLICES))
    chosen = list(range(int(low) + step // 2, int(high) + 1, step)) or [int(low)]
    box = _whole(second)
    columns = min(MAP_COLUMNS, len(chosen))
    width = (WIDTH - (MAP_COLUMNS - 1) * 4) // MAP_COLUMNS
    height = round(width * (box[3] - box[2]) / (box[1] - box[0]))
    rows = -(-len(chosen) // MAP_COLUMNS)
    board = _Board(columns * (width + 4) - 4, rows * (height + 4) - 4)
    for index, z in enumerate(chosen):
        row, column = divmod(index, MAP_COLUMNS)
        place = (column * (width + 4), row * (height + 4))
        board.panel(both, z, box, place, (width, height), thickness=1.4)
    spacing = second.space.spacing[2]
    return board.jpeg(
        "map", caption=words("picture.map", step=words.numerals.general(step * spacing, 3)),
        alt=words("picture.map.alt"),
    )  # fmt: skip
