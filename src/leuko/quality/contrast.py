"""How bright the tissues are beside white matter: whether it is a FLAIR, and how noisy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from leuko.findings import Finding, Severity
from leuko.image.spread import robust_deviation
from leuko.models.classes import Tissue
from leuko.quality.coverage import THINNED_FROM

__all__ = ["Contrast", "contrast_findings", "contrast_of"]

Voxels = npt.NDArray[Any]
Labels = npt.NDArray[np.uint8]

LEAST_VOXELS = 50  # fewer of a tissue have no level worth a name
# Levels are shares of the level of white matter.
# Measured on 21 FLAIRs of 7 scanners: fluid .15-.59, cortex .96-1.20, deep grey .92-1.15; on 14
# T1-weighted heads: fluid .18-.55, cortex .74-.87; on a diffusion scan: .84, 1.41 and .62; on an
# echo-planar one: fluid 1.04 (what is brightest in it the network holds for lesions). Beside a
# tumour, parts of which the network takes for ventricles, their darkest tenth still reaches .49 at
# most; on four diffusion and echo-planar scans it begins at .78.
FLUID_BRIGHT = 1.0  # ventricles brighter than this: T2-weighted
ALL_BRIGHT = 0.65  # and the darkest tenth of them as well: all of it is bright fluid
FLUID_DARK = 0.75  # ventricles darker than this: fluid is suppressed, or T1-weighted
GREY_T1 = 0.90  # cortex darker than this beside dark fluid: T1-weighted
GREY_BRIGHT, DEEP_DARK = 1.3, 0.75  # cortex brighter, deep grey matter darker than on FLAIRs
NOISE_LIMIT = 0.12  # of the level of white matter; the network saw up to 0.11 in training


@dataclass(frozen=True, slots=True)
class Contrast:
    """Median levels of tissues as shares of white matter's; None where there is too little."""

    fluid: float | None  # ventricles
    darkest: float | None  # the darkest tenth of the ventricles, up to this
    cortex: float | None
    deep_grey: float | None
    noise: float  # standard deviation of what varies from voxel to voxel in white matter


def contrast_of(
    data: Voxels, *, anatomy: Labels, lesions: npt.NDArray[np.bool_] | None = None
) -> Contrast:
    """Levels of the tissues; None throughout where there is no white matter."""
    anatomy = np.ascontiguousarray(anatomy)  # as `data` lies: voxels are picked out faster
    matter = anatomy == Tissue.WHITE_MATTER
    if lesions is not None and np.count_nonzero(matter & ~lesions) >= LEAST_VOXELS:
        matter &= ~lesions
    white = _level(data, matter)
    if white is None or white <= 0:
        return Contrast(None, None, None, None, 0.0)

    def share(tissue: Tissue) -> float | None:
        level = _level(data, anatomy == tissue)
        return None if level is None else level / white

    darkest = _level(data, anatomy == Tissue.VENTRICLES, percent=10)
    return Contrast(
        fluid=share(Tissue.VENTRICLES),
        darkest=None if darkest is None else darkest / white,
        cortex=share(Tissue.CORTEX),
        deep_grey=share(Tissue.DEEP_GREY),
        noise=_noise(data, matter) / white,
    )


def _level(data: Voxels, inside: npt.NDArray[np.bool_], *, percent: float = 50.0) -> float | None:
    values = np.sort(data[inside])  # for whole numbers it is faster than partitioning
    return float(np.percentile(values, percent)) if values.size >= LEAST_VOXELS else None


def _noise(data: Voxels, inside: npt.NDArray[np.bool_]) -> float:
    """Robust standard deviation of the second difference in plane, within `inside`.

    The plane is that of the two axes with most voxels, where slices are sharpest.
    """
    across, first, second = np.argsort(data.shape, kind="stable").tolist()
    step = 3 if data.shape[across] >= THINNED_FROM else 1
    planes = tuple(slice(None, None, step if axis == across else 1) for axis in range(3))
    deviations = []
    for axis in (first, second):
        line = np.moveaxis(data[planes], axis, 0)
        held = np.moveaxis(inside[planes], axis, 0)
        whole = held[:-2] & held[1:-1] & held[2:]
        values = line[:-2][whole] - 2.0 * line[1:-1][whole] + line[2:][whole]
        if values.size >= LEAST_VOXELS:
            deviations.append(robust_deviation(values, about=0.0) / 6**0.5)
    return float(np.mean(deviations)) if deviations else 0.0


def contrast_findings(contrast: Contrast) -> list[Finding]:
    """Findings where the tissues are not as bright as on a FLAIR, or the scan is noisy."""
    found = []
    fluid, grey, deep = contrast.fluid, contrast.cortex, contrast.deep_grey
    bright = fluid is not None and fluid > FLUID_BRIGHT
    if bright and contrast.darkest is not None and contrast.darkest > ALL_BRIGHT:
        found.append(
            _wrong_contrast(
                f"the ventricles are {fluid:.2g} times as bright as white matter, as on a "
                "T2-weighted scan"
            )
        )
    elif grey is not None and grey < GREY_T1 and (fluid is None or fluid < FLUID_DARK):
        found.append(
            _wrong_contrast(
                f"cortex is darker than white matter ({grey:.2f} of it), as on a T1-weighted scan"
            )
        )
    elif grey is not None and grey > GREY_BRIGHT and deep is not None and deep < DEEP_DARK:
        found.append(
            _wrong_contrast(
                f"cortex is much brighter ({grey:.2f}) and deep grey matter darker ({deep:.2f}) "
                "than white matter, as on a diffusion scan"
            )
        )
    elif fluid is None:
        found.append(_unusual("No ventricles were found in the brain"))
    elif fluid > FLUID_DARK:
        found.append(_unusual(f"The ventricles have {fluid:.2f} of the brightness of white matter"))
    elif grey is not None and grey > GREY_BRIGHT:
        found.append(_unusual(f"Cortex is much brighter than white matter ({grey:.2f} of it)"))
    if contrast.noise > NOISE_LIMIT:
        found.append(
            Finding(
                "scan.noisy",
                Severity.WARNING,
                f"The scan is noisy: {100 * contrast.noise:.0f} % of the level of white matter.",
                "Small and faint lesions may be missed or invented; look at the mask.",
            )
        )
    return found


def _unusual(seen: str) -> Finding:
    return Finding(
        "scan.unusual_contrast",
        Severity.WARNING,
        f"{seen}, which is unusual on a FLAIR.",
        "Look whether this is the FLAIR, and at the mask.",
    )


def _wrong_contrast(seen: str) -> Finding:
    return Finding(
        "scan.wrong_contrast",
        Severity.REFUSAL,
        f"This is no FLAIR: {seen}.",
        "Give the FLAIR of this examination.",
    )
