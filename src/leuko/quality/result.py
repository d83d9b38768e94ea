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
# On 32 FLAIRs at most 0.07 of a mask lay in cortex, 0.06 of its volume in lesions below 10 mm3 and
# 0.44 of it in 6 mm of slices.
CORTEX_SHARE = 0.4
SMALL_SHARE, SMALL_COUNT = 0.3, 20
SLAB_MM, SLAB_SHARE, SLAB_ML, SLAB_LESIONS = 6.0, 0.8, 1.0, 3
FEW_ML, LARGE_VENTRICLES_ML = 0.5, 60.0


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
        found.extend(_place(anatomy[mask != 0]))
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
    found.extend(_amount(burden))
    found.extend(_spread(burden))
    found.extend(_one_sided(burden))
    return tuple(found)


def _place(under: npt.NDArray[np.uint8]) -> list[Finding]:
    """Where the mask lies: `under` are the tissues below it."""
    outside = float(np.mean((under == Tissue.BACKGROUND) | (under == Tissue.CSF)))
    cortex = float(np.mean(under == Tissue.CORTEX))
    if outside > OUTSIDE_SHARE:
        return [
            Finding(
                "result.outside",
                Severity.WARNING,
                f"{100 * outside:.0f} % of the mask lie outside the brain.",
                "Look whether the mask belongs to this scan.",
            )
        ]
    if cortex > CORTEX_SHARE:
        return [
            Finding(
                "result.in_cortex",
                Severity.WARNING,
                f"{100 * cortex:.0f} % of the mask lie in cortex, where white matter "
                "hyperintensities are not.",
                "Look at the mask; artefacts, another contrast or a stroke can cause this.",
            )
        ]
    return []


def _amount(burden: Burden) -> list[Finding]:
    """Nothing found, or hardly anything where much is to be expected."""
    ventricles = burden.ventricles_ml or 0.0
    if burden.volume_ml < FEW_ML and ventricles > LARGE_VENTRICLES_ML:
        return [
            Finding(
                "result.few",
                Severity.NOTE,
                f"Hardly any lesion was found ({burden.volume_ml:.2f} ml) although the ventricles "
                f"are large ({ventricles:.0f} ml); most heads like this have more.",
                "Look whether this is the FLAIR, and for lesions that were missed.",
            )
        ]
    if burden.volume_voxels == 0:
        return [
            Finding(
                "result.none",
                Severity.NOTE,
                "No lesion was found.",
                "In a young head that is usual; else look at the scan.",
            )
        ]
    return []


def _spread(burden: Burden) -> list[Finding]:
    """Specks all over, or everything in one slice: artefacts look like this."""
    if not burden.volume_ml:
        return []
    found = []
    specks = burden.small.volume_ml / burden.volume_ml
    if specks > SMALL_SHARE and burden.small.count >= SMALL_COUNT:
        found.append(
            Finding(
                "result.specks",
                Severity.WARNING,
                f"The mask is made of {burden.small.count} specks below 10 mm³, which hold "
                f"{100 * specks:.0f} % of its volume.",
                "Noise and motion look like this: look at the scan.",
            )
        )
    share = _in_one_slab(burden)
    if share > SLAB_SHARE and burden.volume_ml > SLAB_ML and burden.lesion_count >= SLAB_LESIONS:
        found.append(
            Finding(
                "result.one_slice",
                Severity.WARNING,
                f"{100 * share:.0f} % of the lesion volume lie in one slice, or within 6 mm.",
                "A slice that is brighter than its neighbours looks like this: look at the scan.",
            )
        )
    return found


def _in_one_slab(burden: Burden) -> float:
    """The largest share of the volume within 6 mm of slices, 0..1; 0 for a scan of one slice."""
    if len(burden.slices) < 2:
        return 0.0
    step = abs(burden.slices[1].position_mm - burden.slices[0].position_mm)
    count = max(1, int(SLAB_MM / step)) if step else 1
    volumes = np.array([one.volume_ml for one in burden.slices])
    slabs = np.convolve(volumes, np.ones(count), mode="valid") if count < volumes.size else volumes
    return float(slabs.max() / volumes.sum())


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
