"""Is there something bright that is no white matter hyperintensity: a tumour, oedema, a stroke?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.findings import Finding, Severity
from leuko.models.classes import Tissue
from leuko.preparation.prepare import slice_axis

__all__ = ["Mass", "largest_mass", "mass_checks"]

Labels = npt.NDArray[np.uint8]
BoolArray = npt.NDArray[np.bool_]
Triple = tuple[float, float, float]

_IS_CEREBRUM = np.isin(
    np.arange(256), [Tissue.CORTEX, Tissue.DEEP_GREY, Tissue.WHITE_MATTER, Tissue.VENTRICLES]
)
_IS_BELOW = np.isin(np.arange(256), [Tissue.BRAINSTEM, Tissue.CEREBELLUM])
LEAST_WHITE = 50  # blocks of white matter that have a level
BLOCK_MM = 3.0
BRIGHT = 1.4  # times the level of white matter
GROWN = 2  # blocks around the core of a mass that belong to it
FAR_MM = 1000.0
CORE_MM = 5.0  # farther from what is not bright than bands, caps and cortex reach
CLOSED_MM, SKIN_MM = 9.0, 3.0  # holes of the cerebrum that are closed; its border that is left out
# What is called a mass; white matter hyperintensities lie in white matter, mostly on both sides.
LEAST_ML, LEAST_RADIUS_MM, LEAST_HEIGHT_MM = 4.0, 7.0, 12.0
OUTSIDE_WHITE, ONE_SIDED = 0.25, 0.7


@dataclass(frozen=True, slots=True)
class Mass:
    """A compact bright part of the cerebrum; shares are 0..1."""

    ml: float
    radius_mm: float  # of the largest circle within it in a slice
    height_mm: float  # across the slices
    outside_white: float  # share that the network does not hold for white matter
    left: float  # share on the left of the brain's middle

    @property
    def is_mass(self) -> bool:
        """Whether it is larger, thicker and more one-sided than hyperintensities are."""
        return (
            self.ml >= LEAST_ML
            and self.radius_mm >= LEAST_RADIUS_MM
            and self.height_mm >= LEAST_HEIGHT_MM
            and self.outside_white >= OUTSIDE_WHITE
            and max(self.left, 1 - self.left) >= ONE_SIDED
        )


def mass_checks(
    data: npt.NDArray[Any],
    *,
    anatomy: Labels,
    spacing: Triple,
    lesions: BoolArray | None = None,
    sided: bool = True,
) -> tuple[Finding, ...]:
    """A warning where a compact bright mass is in `data`; canonical axes.

    `anatomy` holds values of Tissue, `lesions` what the network perhaps holds for lesions.
    `sided` is False where the file has no orientation: then no side is named.
    """
    mass = largest_mass(data, anatomy=anatomy, spacing=spacing, lesions=lesions)
    if mass is None:
        return ()
    where = f" on the {'left' if mass.left > 0.5 else 'right'}" if sided else ""
    return (
        Finding(
            "scan.mass",
            Severity.WARNING,
            f"A compact bright region of {mass.ml:.0f} ml{where} reaches through cortex or deep "
            "grey matter: a tumour, oedema or a stroke looks like this.",
            "It is no white matter hyperintensity, but parts of it may be in the mask: look at "
            "the scan, and correct the mask before you use its numbers.",
        ),
    )


def largest_mass(
    data: npt.NDArray[Any],
    *,
    anatomy: Labels,
    spacing: Triple,
    lesions: BoolArray | None = None,
) -> Mass | None:
    """The largest of the masses; None where there is none. Arrays as for `mass_checks`."""
    steps = [max(1, round(BLOCK_MM / mm)) for mm in spacing]
    size = (spacing[0] * steps[0], spacing[1] * steps[1], spacing[2] * steps[2])
    across = slice_axis(spacing)
    box = _cerebrum_box(anatomy, steps)
    if box is None:
        return None
    middle = tuple(slice(part.start + step // 2, part.stop, step)
                   for part, step in zip(box, steps, strict=True))  # fmt: skip
    kinds = anatomy[middle]
    level = _level(data[middle], kinds, None if lesions is None else lesions[middle])
    if level is None:
        return None
    bright = _block_means(data[box], steps) > BRIGHT * level
    bright &= _cerebrum(kinds, size=size, across=across)
    centre = float(np.median(np.nonzero(_IS_CEREBRUM[kinds])[0]))
    found = _masses(bright, kinds=kinds, size=size, across=across, centre=centre)
    return max((mass for mass in found if mass.is_mass), key=lambda mass: mass.ml, default=None)


def _masses(
    bright: BoolArray, *, kinds: Labels, size: Triple, across: int, centre: float
) -> list[Mass]:
    """Every part of what is bright that is thicker than bands and caps."""
    # A step across slices is far: the nearest block that is not bright lies in the slice.
    reach = [FAR_MM if axis == across else mm for axis, mm in enumerate(size)]
    depth = ndimage.distance_transform_edt(bright, sampling=reach)
    parts, _ = ndimage.label(depth > CORE_MM)
    others = tuple(axis for axis in range(3) if axis != across)
    masses = []
    for index, where in enumerate(ndimage.find_objects(parts), start=1):
        around = tuple(slice(max(0, part.start - GROWN), part.stop + GROWN) for part in where)
        core = parts[around] == index
        grown = ndimage.binary_dilation(core, _plane(across), iterations=GROWN, mask=bright[around])
        masses.append(
            Mass(
                ml=float(np.count_nonzero(grown) * np.prod(size) / 1000),
                radius_mm=float(depth[around][core].max()),
                height_mm=float(np.count_nonzero(grown.any(axis=others)) * size[across]),
                outside_white=float(np.mean(kinds[around][grown] != Tissue.WHITE_MATTER)),
                left=float(np.mean(np.nonzero(grown)[0] + around[0].start < centre)),
            )
        )
    return masses


def _cerebrum_box(anatomy: Labels, steps: list[int]) -> tuple[slice, slice, slice] | None:
    """The box around the cerebrum, in whole blocks; None where there is none."""
    thin = _IS_CEREBRUM[anatomy[tuple(slice(step // 2, None, step) for step in steps)]]
    if not thin.any():
        return None
    box = []
    for axis, step in enumerate(steps):
        held = np.flatnonzero(thin.any(axis=tuple(other for other in range(3) if other != axis)))
        end = min(int(held[-1]) + 1, anatomy.shape[axis] // step)
        box.append(slice(int(held[0]) * step, end * step))
    return box[0], box[1], box[2]


def _block_means(data: npt.NDArray[Any], steps: list[int]) -> npt.NDArray[np.float32]:
    x, y, z = (length // step for length, step in zip(data.shape, steps, strict=True))
    blocks = data.reshape(x, steps[0], y, steps[1], z, steps[2])
    return np.asarray(blocks.mean(axis=(1, 3, 5), dtype=np.float32))


def _level(data: npt.NDArray[Any], kinds: Labels, lesions: BoolArray | None) -> float | None:
    white = kinds == Tissue.WHITE_MATTER
    if lesions is not None:
        white &= ~lesions
    return float(np.median(data[white])) if np.count_nonzero(white) >= LEAST_WHITE else None


def _cerebrum(kinds: Labels, *, size: Triple, across: int) -> BoolArray:
    """The cerebrum with the holes that a mass leaves in it, but for its border; slice by slice."""
    mm = max(size[axis] for axis in range(3) if axis != across)
    plane, closed = _plane(across), max(1, round(CLOSED_MM / mm))
    hull = np.pad(_IS_CEREBRUM[kinds], closed)
    hull = ndimage.binary_closing(hull, plane, iterations=closed)
    for index in range(hull.shape[across]):
        where = tuple(index if axis == across else slice(None) for axis in range(3))
        hull[where] = ndimage.binary_fill_holes(hull[where])
    hull = ndimage.binary_erosion(hull, plane, iterations=max(1, round(SKIN_MM / mm)))
    inside = tuple(slice(closed, -closed) for _ in range(3))
    return np.asarray(hull[inside] & ~_IS_BELOW[kinds])


def _plane(across: int) -> BoolArray:
    """The four neighbours in a slice."""
    cross: BoolArray = ndimage.generate_binary_structure(3, 1)
    cross[tuple((0, 2) if axis == across else slice(None) for axis in range(3))] = False
    return cross
