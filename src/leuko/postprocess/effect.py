"""What a step of post-processing did to a mask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leuko.masks.components import connected_components

__all__ = ["Effect", "effect_of", "lesions_gone"]

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Effect:
    """Voxels and lesions before and after a step; lesions are 26-connected.

    `lesions_removed` counts lesions of the mask before of which no voxel is left; `holes_filled`
    is for the step that fills holes.
    """

    voxels_before: int
    voxels_added: int
    voxels_removed: int
    lesions_removed: int = 0
    holes_filled: int = 0

    @property
    def voxels_after(self) -> int:
        """Voxels of the mask after the step."""
        return self.voxels_before + self.voxels_added - self.voxels_removed

    @property
    def changed(self) -> bool:
        """Whether the step did anything."""
        return bool(self.voxels_added or self.voxels_removed)

    def as_details(self) -> dict[str, int]:
        """What goes into the record of the step: counts that are not zero, and the voxels left."""
        counts = {
            "voxels_added": self.voxels_added,
            "voxels_removed": self.voxels_removed,
            "lesions_removed": self.lesions_removed,
            "holes_filled": self.holes_filled,
        }
        return {name: n for name, n in counts.items() if n} | {"voxels": self.voxels_after}


def effect_of(
    before: BoolArray,
    after: BoolArray,
    *,
    lesions_removed: int | None = None,
    holes_filled: int = 0,
) -> Effect:
    """Compare two masks; lesions that are gone are counted unless their number is given."""
    removed = before & ~after
    voxels_removed = int(np.count_nonzero(removed))
    if lesions_removed is None:
        lesions_removed = lesions_gone(before, after) if voxels_removed else 0
    voxels_before = int(np.count_nonzero(before))
    return Effect(
        voxels_before=voxels_before,
        voxels_added=int(np.count_nonzero(after)) - voxels_before + voxels_removed,
        voxels_removed=voxels_removed,
        lesions_removed=lesions_removed,
        holes_filled=holes_filled,
    )


def lesions_gone(before: BoolArray, after: BoolArray) -> int:
    """How many 26-connected lesions of `before` have no voxel in `after`."""
    lesions = connected_components(before)
    kept = np.bincount(lesions.labels[after], minlength=lesions.count + 1)[1:]
    return int(np.count_nonzero(kept == 0))
