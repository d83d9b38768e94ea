"""Is what was given as the T1 a T1? Its levels in the tissues that the network found."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from leuko.findings import Finding, Severity
from leuko.models.classes import Tissue
from leuko.quality.contrast import contrast_of

__all__ = ["t1_checks", "unused_t1"]

# Shares of the level of white matter, see `leuko.quality.contrast`.
FLUID_DARK = 0.75
GREY_DARK = 0.90


def t1_checks(
    t1: npt.NDArray[Any],
    *,
    anatomy: npt.NDArray[np.uint8],
    lesions: npt.NDArray[np.bool_] | None = None,
) -> tuple[Finding, ...]:
    """A warning where fluid or cortex of `t1` are too bright for a T1; all on the same voxels.

    What `t1` does not cover is 0 and says nothing: levels are those of the voxels above it.
    """
    reached = np.where(t1 > 0, anatomy, np.uint8(Tissue.BACKGROUND))
    contrast = contrast_of(t1, anatomy=reached, lesions=lesions)
    if contrast.fluid is not None and contrast.fluid > FLUID_DARK:
        seen = f"the ventricles have {contrast.fluid:.2f} of the brightness of white matter"
    elif contrast.cortex is not None and contrast.cortex > GREY_DARK:
        seen = f"cortex has {contrast.cortex:.2f} of the brightness of white matter"
    else:
        return ()
    return (
        unused_t1(f"It shows another contrast: {seen}.", hint="Give the T1 of this examination."),
    )


def unused_t1(why: str, *, hint: str) -> Finding:
    """The warning that the network saw the FLAIR alone; `why` is a sentence."""
    return Finding(
        "t1.not_used",
        Severity.WARNING,
        f"The T1 was not used, the mask is made from the FLAIR alone. {why}",
        hint,
    )
