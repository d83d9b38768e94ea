"""Is it a whole brain on a FLAIR? What the voxels say once the network has named the tissues."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from leuko.findings import Finding, Severity
from leuko.models.classes import Tissue

__all__ = ["Contrast", "Coverage", "anatomy_checks", "contrast_of", "coverage_of"]

Voxels = npt.NDArray[Any]
Labels = npt.NDArray[np.uint8]

BRAIN = (
    Tissue.CORTEX,
    Tissue.DEEP_GREY,
    Tissue.WHITE_MATTER,
    Tissue.BRAINSTEM,
    Tissue.CEREBELLUM,
)
_IS_BODY = np.isin(np.arange(256), [tissue for tissue in BRAIN if tissue is not Tissue.BRAINSTEM])
LEAST_VOXELS = 50  # fewer of a tissue have no level worth a name
LEAST_BRAIN_ML, LEAST_WHITE_ML, MOST_BRAIN_ML = 150.0, 30.0, 2200.0
# Levels are shares of the level of white matter.
FLUID_BRIGHT = 1.15  # ventricles brighter than this: T2-weighted
FLUID_DARK = 0.85  # ventricles darker than this: fluid is suppressed, or T1-weighted
GREY_T1 = 0.93  # cortex darker than this beside dark fluid: T1-weighted
CUT_SHARE = 0.15  # brain in the outermost plane, of the largest plane: the brain goes on
NOISE_LIMIT = 0.12  # of the level of white matter; the network saw up to 0.11 in training
THINNED_FROM = 100  # planes; axes with more are thinned where detail does not matter
FACES = (("left", "right"), ("back", "front"), ("bottom", "top"))


@dataclass(frozen=True, slots=True)
class Contrast:
    """Median levels of tissues as shares of white matter's; None where there is too little."""

    fluid: float | None  # ventricles
    cortex: float | None
    deep_grey: float | None
    noise: float  # standard deviation of what varies from voxel to voxel in white matter


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much brain the network found and where it meets the border of the scan."""

    brain_ml: float
    white_matter_ml: float
    border_share: tuple[tuple[float, float], ...]  # per axis: low and high face, 0..1


def anatomy_checks(
    data: Voxels, *, anatomy: Labels, spacing: tuple[float, float, float], sided: bool = True
) -> tuple[Finding, ...]:
    """Findings about `data` with its `anatomy` (values of Tissue), both in canonical axes.

    `sided` is False where the file has no orientation: then no face of the scan has a name.
    """
    coverage = coverage_of(data, anatomy=anatomy, spacing=spacing)
    if missing := _no_brain(coverage):
        return (missing,)
    contrast = contrast_of(data, anatomy=anatomy)
    return (*_contrast_findings(contrast), *_coverage_findings(coverage, sided=sided))


def contrast_of(data: Voxels, *, anatomy: Labels) -> Contrast:
    """Levels of the tissues; white matter must be present."""
    white = _level(data, anatomy, Tissue.WHITE_MATTER)
    if white is None or white <= 0:
        return Contrast(None, None, None, 0.0)

    def share(tissue: Tissue) -> float | None:
        level = _level(data, anatomy, tissue)
        return None if level is None else level / white

    return Contrast(
        fluid=share(Tissue.VENTRICLES),
        cortex=share(Tissue.CORTEX),
        deep_grey=share(Tissue.DEEP_GREY),
        noise=_noise(data, anatomy == Tissue.WHITE_MATTER) / white,
    )


def coverage_of(data: Voxels, *, anatomy: Labels, spacing: tuple[float, float, float]) -> Coverage:
    """Volumes of brain and white matter and the share of brain in the outermost planes."""
    voxel_ml = float(np.prod(spacing)) / 1000
    ml = {tissue: np.count_nonzero(anatomy == tissue) * voxel_ml for tissue in BRAIN}
    # Areas need no detail; a plane more or less at the border does not matter either.
    steps = tuple(slice(None, None, 2 if length >= THINNED_FROM else 1) for length in data.shape)
    thin = data[steps]
    # The spinal cord goes on below: what ends there is no cut brain.
    body = _IS_BODY[anatomy[steps]]
    return Coverage(
        brain_ml=sum(ml.values()),
        white_matter_ml=ml[Tissue.WHITE_MATTER],
        border_share=tuple(_border_share(thin, body, axis) for axis in range(3)),
    )


def _level(data: Voxels, anatomy: Labels, tissue: Tissue) -> float | None:
    values = data[anatomy == tissue]
    return float(np.median(values)) if values.size >= LEAST_VOXELS else None


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
            deviations.append(float(np.median(np.abs(values))) * 1.4826 / 6**0.5)
    return float(np.mean(deviations)) if deviations else 0.0


def _border_share(data: Voxels, body: npt.NDArray[np.bool_], axis: int) -> tuple[float, float]:
    """Brain in the first and last plane that hold anything, as shares of the fullest plane."""
    others = tuple(k for k in range(3) if k != axis)
    areas = body.sum(axis=others)
    if not areas.any():
        return (0.0, 0.0)
    held = np.flatnonzero(data.max(axis=others) != data.min(axis=others))  # not the padding
    return (float(areas[held[0]] / areas.max()), float(areas[held[-1]] / areas.max()))


def _no_brain(coverage: Coverage) -> Finding | None:
    if coverage.brain_ml >= LEAST_BRAIN_ML and coverage.white_matter_ml >= LEAST_WHITE_ML:
        return None
    return Finding(
        "scan.no_brain",
        Severity.REFUSAL,
        f"The network found no brain in this scan, only {coverage.brain_ml:.0f} ml of tissue "
        "like it.",
        "Give the FLAIR of a head; check its orientation and voxel size.",
    )


def _contrast_findings(contrast: Contrast) -> list[Finding]:
    found = []
    fluid, grey = contrast.fluid, contrast.cortex
    if fluid is not None and fluid > FLUID_BRIGHT:
        found.append(
            _wrong_contrast(
                f"the ventricles are {fluid:.1f} times as bright as white matter, as on a "
                "T2-weighted or diffusion scan"
            )
        )
    elif grey is not None and grey < GREY_T1 and (fluid is None or fluid < FLUID_DARK):
        found.append(
            _wrong_contrast(
                f"cortex is darker than white matter ({grey:.2f} of it), as on a T1-weighted scan"
            )
        )
    elif fluid is not None and fluid > FLUID_DARK:
        found.append(
            Finding(
                "scan.fluid_not_dark",
                Severity.WARNING,
                f"The ventricles are nearly as bright as white matter ({fluid:.2f} of it); on a "
                "FLAIR they are dark.",
                "Look whether this is the FLAIR, and at the mask.",
            )
        )
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


def _wrong_contrast(seen: str) -> Finding:
    return Finding(
        "scan.wrong_contrast",
        Severity.REFUSAL,
        f"This is no FLAIR: {seen}.",
        "Give the FLAIR of this examination.",
    )


def _coverage_findings(coverage: Coverage, *, sided: bool) -> list[Finding]:
    found = []
    cut = [
        name
        for names, shares in zip(FACES, coverage.border_share, strict=True)
        for name, share in zip(names, shares, strict=True)
        if share > CUT_SHARE
    ]
    if cut:
        where = f" at the {' and the '.join(cut)}" if sided else ""
        found.append(
            Finding(
                "scan.brain_cut",
                Severity.WARNING,
                f"The brain is cut off{where}: part of it lies outside the scan.",
                "Volumes and counts are those of the part that was scanned.",
            )
        )
    if coverage.brain_ml > MOST_BRAIN_ML:
        found.append(
            Finding(
                "scan.brain_large",
                Severity.WARNING,
                f"The brain measures {coverage.brain_ml:.0f} ml, more than brains do.",
                "Check the voxel size in the file's header.",
            )
        )
    return found
