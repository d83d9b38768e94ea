"""Changes put into a real scan: lesions that come, grow and go, each with its place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.anatomy.levels import white_matter_level
from leuko.image.image import Image, from_canonical, to_canonical
from leuko.models.classes import Tissue
from leuko.pipelines.result import Result

__all__ = ["KnownChange", "changed"]

NEW_RADII_MM = (2.0, 2.5, 3.0, 4.0, 5.0)
GROWN_MM3, GONE_MM3 = (60.0, 2000.0), (40.0, 600.0)
GROWTH_MM = 2.5
MARGIN_MM = 6.0  # of a new lesion to all others
BRIGHT = (0.7, 1.2)  # of what sets the scan's own lesions apart
SOFT_MM = 0.7
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class KnownChange:
    """What was done: new, enlarging or disappeared; where, on the scan's grid (file axes)."""

    kind: str
    mm3: float
    where: Flags


def changed(
    image: Image, found: Result, *, rng: np.random.Generator
) -> tuple[Image, list[KnownChange]]:
    """The scan with new lesions, grown ones and some gone; `found` is its own segmentation."""
    grid = image.grid.canonical()
    assert found.anatomy is not None
    values = np.array(to_canonical(image.data, image.grid), dtype=np.float32)
    labels = to_canonical(found.lesions.data, image.grid).astype(np.int32)
    anatomy = to_canonical(found.anatomy.data, image.grid).astype(np.uint8) % 10
    mask = labels > 0
    white = anatomy == Tissue.WHITE_MATTER
    level = white_matter_level(values, anatomy=anatomy, mask=mask)
    assert level is not None
    contrast = float(np.median(values[mask])) - level.median
    free = white & (_far(mask, grid.spacing) > MARGIN_MM) & (_far(~white, grid.spacing) > 2.0)
    done: list[tuple[str, Flags]] = []
    for radius in NEW_RADII_MM:
        places = np.argwhere(free)
        if len(places) == 0:
            break
        centre = np.zeros(mask.shape, dtype=np.bool_)
        centre[tuple(places[rng.integers(len(places))])] = True
        blob = (_far(centre, grid.spacing) <= radius) & white
        free &= _far(blob, grid.spacing) > MARGIN_MM
        _add(values, blob, rng.uniform(*BRIGHT) * contrast, grid.spacing)
        done.append(("new", blob))
    for lesion in _chosen(found, GROWN_MM3, rng, count=2):
        own = labels == lesion
        more = (_far(own, grid.spacing) <= GROWTH_MM) & white & ~mask
        _add(values, more, float(np.median(values[own])) - level.median, grid.spacing)
        done.append(("enlarging", more))
        labels = np.where(own, 0, labels)
    for lesion in _chosen(found, GONE_MM3, rng, count=2, but=labels):
        own = _far(labels == lesion, grid.spacing) <= 2.0
        own &= white | (labels == lesion)
        noise = rng.normal(0, 0.7 * level.deviation, int(own.sum()))
        soft = ndimage.gaussian_filter(own.astype(np.float32), SOFT_MM / np.array(grid.spacing))
        flat = values.copy()
        flat[own] = level.median + noise
        values += soft * (flat - values)
        done.append(("disappeared", labels == lesion))
    return image.with_data(np.ascontiguousarray(from_canonical(values, image.grid))), [
        KnownChange(
            kind,
            float(where.sum() * grid.voxel_mm3),
            np.ascontiguousarray(from_canonical(where, image.grid)),
        )
        for kind, where in done
    ]


def _far(mask: Flags, spacing: tuple[float, float, float]) -> npt.NDArray[np.float64]:
    """Distance to the mask in mm; far where there is none."""
    if not mask.any():
        return np.full(mask.shape, 1e3)
    return np.asarray(ndimage.distance_transform_edt(~mask, sampling=spacing))


def _add(values: Floats, where: Flags, bright: float, spacing: tuple[float, float, float]) -> None:
    """Make a place brighter, with a soft edge."""
    soft = ndimage.gaussian_filter(where.astype(np.float32), SOFT_MM / np.array(spacing))
    values += np.float32(bright) * soft


def _chosen(
    found: Result,
    mm3: tuple[float, float],
    rng: np.random.Generator,
    *,
    count: int,
    but: npt.NDArray[np.generic] | None = None,
) -> list[int]:
    """Labels of lesions of a size; `but` holds only those that are left to choose."""
    left = None if but is None else set(np.unique(but).tolist())
    fit = [
        lesion.label
        for lesion in found.table
        if mm3[0] <= lesion.volume_mm3 <= mm3[1] and (left is None or lesion.label in left)
    ]
    return [fit[k] for k in rng.permutation(len(fit))[:count]]
