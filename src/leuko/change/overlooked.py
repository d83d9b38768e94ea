"""Change that a visit's own segmentation overlooked: the scans differ, and its mask says nothing.

A network judges each visit by itself, and may take a new lesion for something else, as a large
smooth one in the white matter for grey matter. Two scans of one head say more: where the one shows
normal white matter and the other something as bright as lesions, something came.

Source of the idea: Tan et al. 2002, Image registration and subtraction to detect active T2 lesions
in MS.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.change.seen import Pair, Seen
from leuko.image.spread import robust_deviation
from leuko.masks.box import bounding_box, grow_box
from leuko.masks.components import Components, connected_components
from leuko.masks.morphology import dilate

__all__ = ["with_overlooked"]

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

RISE, NOISES = 0.35, 4.0  # of what sets lesions apart; of what normal white matter differs by
AS_LESIONS = 0.35  # brightness from which a place may be a lesion
UNLIKELY = 0.1  # probability at the other visit: surely no lesion there
NORMAL = 0.4  # brightness below which white matter was normal
LIKELY, LIKELY_PEAK, LIKELY_MM3 = 0.5, 0.6, 20.0  # where the network, too, sees something
PEAK, MM3 = 0.7, 40.0  # where the difference stands alone
DEPTH_MM = 2.0  # from what is not white matter: its border is never at the same place twice
HELD = 1 / 3  # of a part: where its mask holds as much, the edge is the segmentation's own
EDGE, SUMMIT = 0.45, 0.9  # a part ends at this share of this quantile of its differences
TOUCHING = ndimage.generate_binary_structure(3, 3)
ENOUGH = 100  # voxels of normal white matter


def with_overlooked(pair: Pair, *, counts: tuple[int, int]) -> Pair:
    """The pair with what either segmentation overlooked, as lesions of their own or as parts.

    A part is connected, white matter at the other visit and at no point near its lesions, risen by
    0.35 of what sets lesions apart (and four times what normal white matter differs by) throughout
    and by 0.7 at its peak. It has 40 mm3, reaches 2 mm deep, and was normal white matter. Where the
    network gives it a probability of 0.5 somewhere, 20 mm3 and a peak of 0.6 are enough. What
    touches a lesion of the same visit belongs to it; the others are numbered on from `counts`, how
    many lesions the first and the second visit's segmentation hold.
    """
    first, second = pair.first, pair.second
    normal = first.white_matter & second.white_matter & first.known & second.known
    normal &= ~(first.mask | second.mask)
    differences = pair.brighter[normal]
    if differences.size < ENOUGH:
        return pair
    least = max(RISE, NOISES * robust_deviation(differences, about=0.0))
    spacing, border = pair.grid.spacing, pair.border_mm
    before, after = (
        _completed(own, other, rise, least, count=count, spacing=spacing, border=border)
        for own, other, rise, count in (
            (first, second, -pair.brighter, counts[0]),
            (second, first, pair.brighter, counts[1]),
        )
    )
    return replace(pair, first=before, second=after)


def _completed(
    own: Seen,
    other: Seen,
    rise: Floats,
    least: float,
    *,
    count: int,
    spacing: tuple[float, float, float],
    border: tuple[float, float, float],
) -> Seen:
    """A visit with what it has more than the `other` one."""
    where = (rise >= least) & (own.brightness >= AS_LESIONS) & (other.probability < UNLIKELY)
    where &= other.white_matter & own.known & other.known
    if not where.any():
        return own
    where &= ~dilate(other.mask, spacing=spacing, radius_mm=border)
    parts = connected_components(where)
    labels = own.labels.copy()
    number = count
    places = ndimage.find_objects(parts.labels)
    for part in _convincing(parts, own, other, rise, spacing=spacing):
        x, y, z = places[part - 1]
        around = grow_box((x, y, z), by=(1, 1, 1), shape=where.shape)
        inside = parts.labels[around] == part
        if (own.labels[around][inside] > 0).mean() > HELD:
            continue
        inside &= rise[around] >= EDGE * np.quantile(rise[around][inside], SUMMIT)
        near = own.labels[around][ndimage.binary_dilation(inside, TOUCHING)]
        touched = np.bincount(near)[1:]
        number += not touched.any()
        label = int(touched.argmax()) + 1 if touched.any() else number
        labels[around][inside & (own.labels[around] == 0)] = label
    return replace(own, labels=labels, added=(labels > 0) & ~own.mask)


def _convincing(
    parts: Components,
    own: Seen,
    other: Seen,
    rise: Floats,
    *,
    spacing: tuple[float, float, float],
) -> list[int]:
    """The parts that are lesions by all that is known, by their labels."""
    mm3 = parts.sizes * float(np.prod(spacing))
    mm3 = mm3[mm3 >= LIKELY_MM3]  # the largest come first
    box = bounding_box((parts.labels > 0) & (parts.labels <= mm3.size))
    if box is None:
        return []
    reach = int(np.ceil(DEPTH_MM / min(spacing)))
    around = grow_box(box, by=(reach, reach, reach), shape=rise.shape)
    shallow = dilate(~other.white_matter[around], spacing=spacing, radius_mm=DEPTH_MM)
    labels = parts.labels[around]
    where = np.nonzero((labels > 0) & (labels <= mm3.size))
    of = labels[where] - 1

    def highest(values: npt.NDArray[np.generic]) -> Floats:
        found = np.zeros(mm3.size, dtype=np.float32)
        np.maximum.at(found, of, values[where])
        return found

    peak, likely = highest(rise[around]), highest(own.probability[around]) >= LIKELY
    deep = highest(~shallow) > 0
    normal = np.bincount(of, weights=other.brightness[around][where]) / np.bincount(of) <= NORMAL
    alone = (mm3 >= MM3) & (peak >= PEAK) & deep & normal
    kept = alone | (likely & (peak >= LIKELY_PEAK))
    return [int(n) + 1 for n in np.flatnonzero(kept)]
