"""Is the result plausible?"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from leuko.findings import Finding, Severity
from leuko.models.classes import Tissue
from leuko.quantify.burden import Burden

__all__ = ["result_checks"]

LARGE_PERCENT = 25.0  # of white matter; the most severe scans known reach about this
OUTSIDE_SHARE = 0.5
ONE_SIDED_SHARE, ONE_SIDED_ML = 0.95, 5.0


def result_checks(
    mask: npt.NDArray[Any], *, burden: Burden, anatomy: npt.NDArray[np.uint8] | None
) -> tuple[Finding, ...]:
    """Findings about a mask (nonzero = lesion), its numbers and the anatomy (values of Tissue).

    `mask` and `anatomy` have the same axes, whichever these are; `anatomy` is None where the
    network could not be asked.
    """
    found = []
    if anatomy is None or not np.any(anatomy == Tissue.WHITE_MATTER):
        found.append(
            Finding(
                "result.no_anatomy",
                Severity.WARNING,
                "No white matter was found: shares, sides and regions are not known.",
                "Look at the scan and the mask.",
            )
        )
    elif burden.volume_voxels:
        under = anatomy[mask != 0]
        outside = float(np.mean((under == Tissue.BACKGROUND) | (under == Tissue.CSF)))
        if outside > OUTSIDE_SHARE:
            found.append(
                Finding(
                    "result.outside",
                    Severity.WARNING,
                    f"{100 * outside:.0f} % of the mask lie outside the brain.",
                    "Look whether the mask belongs to this scan.",
                )
            )
    if (burden.white_matter_percent or 0.0) > LARGE_PERCENT:
        found.append(
            Finding(
                "result.large",
                Severity.WARNING,
                f"The lesions take {burden.white_matter_percent:.0f} % of white matter, which is "
                "hardly ever true.",
                "Look at the mask; a tumour, oedema, a stroke or a wrong contrast can cause this.",
            )
        )
    found.extend(_one_sided(burden))
    return tuple(found)


def _one_sided(burden: Burden) -> list[Finding]:
    left, right = burden.left_ml, burden.right_ml
    if left is None or right is None or left + right < ONE_SIDED_ML:
        return []
    if max(left, right) <= ONE_SIDED_SHARE * (left + right):
        return []
    side = "left" if left > right else "right"
    return [
        Finding(
            "result.one_sided",
            Severity.NOTE,
            f"Nearly all of it is on the {side}.",
            "A stroke, a tumour or an earlier operation looks like this; leuko does not tell "
            "them from white matter hyperintensities.",
        )
    ]
