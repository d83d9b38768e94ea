"""The worst of a mask by rule: the largest false mark, the largest miss, the worst outline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leuko.masks.components import connected_components

__all__ = ["RULES", "Worst", "largest_false", "largest_missed", "worst_outline"]

Bools = npt.NDArray[np.bool_]
LEAST_MM3 = 200.0  # of truth, for an outline to be judged


@dataclass(frozen=True, slots=True)
class Worst:
    """A place in a scan, same axes as its mask; `badness` orders places, the largest the worst.

    `region` is what is wrong; `truth_mm3` and `mask_mm3` are those of the lesion concerned.
    """

    badness: float
    region: Bools
    truth_mm3: float
    mask_mm3: float

    @property
    def dice(self) -> float:
        """Of the outline of one lesion, from its badness: 1 - Dice."""
        return 1.0 - self.badness


def largest_false(truth: Bools, mask: Bools, *, voxel_mm3: float) -> Worst | None:
    """The largest 26-connected mark that touches no true voxel; None without one."""
    region = _largest_untouched(mask, truth)
    if region is None:
        return None
    volume = voxel_mm3 * float(region.sum())
    return Worst(volume, region, 0.0, volume)


def largest_missed(truth: Bools, mask: Bools, *, voxel_mm3: float) -> Worst | None:
    """The largest 26-connected true lesion that no marked voxel touches; None without one."""
    region = _largest_untouched(truth, mask)
    if region is None:
        return None
    volume = voxel_mm3 * float(region.sum())
    return Worst(volume, region, volume, 0.0)


def worst_outline(truth: Bools, mask: Bools, *, voxel_mm3: float) -> Worst | None:
    """Of lesions found, with at least 200 mm3 of truth, that whose outlines agree least (Dice).

    Truth and marks that touch are one lesion; its region is where they differ. None without one.
    """
    joined = connected_components(truth | mask, connectivity=26)
    inside = truth | mask
    labels = joined.labels[inside]
    size = joined.count + 1
    true = np.bincount(labels, truth[inside], size)
    marked = np.bincount(labels, mask[inside], size)
    both = np.bincount(labels, (truth & mask)[inside], size)
    judged = (both > 0) & (true * voxel_mm3 >= LEAST_MM3)
    if not judged.any():
        return None
    dice = np.where(judged, 2 * both / np.maximum(true + marked, 1), np.inf)
    worst = int(np.argmin(dice))
    region = (joined.labels == worst) & (truth ^ mask)
    return Worst(
        1.0 - float(dice[worst]),
        region,
        voxel_mm3 * float(true[worst]),
        voxel_mm3 * float(marked[worst]),
    )


RULES: Mapping[str, Callable[..., Worst | None]] = {
    "false": largest_false,
    "missed": largest_missed,
    "outline": worst_outline,
}


def _largest_untouched(one: Bools, other: Bools) -> Bools | None:
    """The largest component of one mask without a voxel of the other."""
    parts = connected_components(one, connectivity=26)
    sizes = np.bincount(parts.labels[one], minlength=parts.count + 1)
    sizes[np.unique(parts.labels[one & other])] = 0
    sizes[0] = 0
    if not sizes.any():
        return None
    found: Bools = parts.labels == int(np.argmax(sizes))
    return found
