"""Is it a whole brain on a FLAIR? What the voxels say once the network has named the tissues."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

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
# A brain is cut where the outermost plane holds more of it than this (of the fullest plane) and
# lies nearer to the brain's middle than whole brains reach: left, right, back, front, bottom, top.
CUT_SHARE = 0.15
REACH_MM = ((55.0, 55.0), (75.0, 60.0), (50.0, 62.0))
# Levels are taken around the middle: in the neck, tissues are less sure.
MIDDLE_MM = ((70.0, 70.0), (95.0, 80.0), (45.0, 70.0))
NOISE_LIMIT = 0.12  # of the level of white matter; the network saw up to 0.11 in training
THINNED_FROM = 100  # planes; axes with more are thinned where detail does not matter
FACES = (("left", "right"), ("back", "front"), ("bottom", "top"))


@dataclass(frozen=True, slots=True)
class Contrast:
    """Median levels of tissues as shares of white matter's; None where there is too little."""

    fluid: float | None  # ventricles
    darkest: float | None  # the darkest tenth of the ventricles, up to this
    cortex: float | None
    deep_grey: float | None
    noise: float  # standard deviation of what varies from voxel to voxel in white matter


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much brain the network found and where it meets the border of the scan."""

    brain_ml: float
    white_matter_ml: float
    border_share: tuple[tuple[float, float], ...]  # per axis: low and high face, 0..1
    border_mm: tuple[tuple[float, float], ...]  # from the brain's middle to these faces
    middle: tuple[float, ...]  # of the brain, in voxels


def anatomy_checks(
    data: Voxels,
    *,
    anatomy: Labels,
    spacing: tuple[float, float, float],
    lesions: npt.NDArray[np.bool_] | None = None,
    sided: bool = True,
) -> tuple[Finding, ...]:
    """Findings about `data` with its `anatomy` (values of Tissue), both in canonical axes.

    `lesions` keeps what the network holds for lesions out of the level of white matter. `sided` is
    False where the file has no orientation: then no face of the scan has a name.
    """
    coverage = coverage_of(data, anatomy=anatomy, spacing=spacing)
    if missing := _no_brain(coverage):
        return (missing,)
    around = _around(coverage.middle, spacing=spacing)
    contrast = contrast_of(
        data[around],
        anatomy=anatomy[around],
        lesions=None if lesions is None else lesions[around],
    )
    return (*_contrast_findings(contrast), *_coverage_findings(coverage, sided=sided))


def contrast_of(
    data: Voxels, *, anatomy: Labels, lesions: npt.NDArray[np.bool_] | None = None
) -> Contrast:
    """Levels of the tissues; None throughout where there is no white matter."""
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


def coverage_of(data: Voxels, *, anatomy: Labels, spacing: tuple[float, float, float]) -> Coverage:
    """Volumes of brain and white matter and the share of brain in the outermost planes."""
    voxel_ml = float(np.prod(spacing)) / 1000
    ml = {tissue: np.count_nonzero(anatomy == tissue) * voxel_ml for tissue in BRAIN}
    # Areas need no detail; a plane more or less at the border does not matter either.
    steps = [2 if length >= THINNED_FROM else 1 for length in data.shape]
    thin = tuple(slice(None, None, step) for step in steps)
    # The spinal cord goes on below: what ends there is no cut brain.
    body = _IS_BODY[anatomy[thin]]
    held = [_held_planes(data[thin], axis) for axis in range(3)]
    middle = _middle(anatomy[thin])
    plane_mm = [step * mm for step, mm in zip(steps, spacing, strict=True)]
    return Coverage(
        brain_ml=sum(ml.values()),
        white_matter_ml=ml[Tissue.WHITE_MATTER],
        border_share=tuple(_border_share(body, axis, held[axis]) for axis in range(3)),
        border_mm=tuple(
            (
                (middle[axis] - held[axis][0]) * plane_mm[axis],
                (held[axis][1] - middle[axis]) * plane_mm[axis],
            )
            for axis in range(3)
        ),
        middle=tuple(index * step for index, step in zip(middle, steps, strict=True)),
    )


def _held_planes(data: Voxels, axis: int) -> tuple[int, int]:
    """First and last plane along an axis that are more than padding."""
    others = tuple(k for k in range(3) if k != axis)
    held = np.flatnonzero(data.max(axis=others) != data.min(axis=others))
    return (int(held[0]), int(held[-1])) if held.size else (0, data.shape[axis] - 1)


def _middle(anatomy: Labels) -> tuple[float, float, float]:
    """The middle of the brain: of the largest part of ventricles and deep grey matter."""
    inner = (anatomy == Tissue.VENTRICLES) | (anatomy == Tissue.DEEP_GREY)
    white = anatomy == Tissue.WHITE_MATTER
    if white.any():  # what is held for fluid or deep grey matter in the neck lies below it
        inner = inner & _amid(white)
    if not inner.any():
        inner = white
    parts, count = ndimage.label(inner)
    if count == 0:
        x, y, z = ((length - 1) / 2 for length in anatomy.shape)
        return x, y, z
    largest = int(np.argmax(np.bincount(parts.ravel())[1:])) + 1
    x, y, z = (float(np.median(index)) for index in np.nonzero(parts == largest))
    return x, y, z


def _amid(white: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The box between the outermost twentieths of white matter along each axis."""
    amid = np.zeros_like(white)
    box = []
    for axis in range(3):
        held = np.cumsum(np.count_nonzero(white, axis=tuple(k for k in range(3) if k != axis)))
        low, high = np.searchsorted(held, (0.05 * held[-1], 0.95 * held[-1]))
        box.append(slice(int(low), int(high) + 1))
    amid[tuple(box)] = True
    return amid


def _around(middle: tuple[float, ...], *, spacing: tuple[float, float, float]) -> tuple[slice, ...]:
    """The part of the scan that surely is brain, where there is one."""
    box = []
    for index, mm, (below, above) in zip(middle, spacing, MIDDLE_MM, strict=True):
        box.append(slice(max(0, round(index - below / mm)), round(index + above / mm) + 1))
    return tuple(box)


def _level(data: Voxels, inside: npt.NDArray[np.bool_], *, percent: float = 50.0) -> float | None:
    values = data[inside]
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
            deviations.append(float(np.median(np.abs(values))) * 1.4826 / 6**0.5)
    return float(np.mean(deviations)) if deviations else 0.0


def _border_share(
    body: npt.NDArray[np.bool_], axis: int, held: tuple[int, int]
) -> tuple[float, float]:
    """Brain in the first and last plane, as shares of the fullest plane."""
    areas = body.sum(axis=tuple(k for k in range(3) if k != axis))
    if not areas.any():
        return (0.0, 0.0)
    return (float(areas[held[0]] / areas.max()), float(areas[held[1]] / areas.max()))


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


def _coverage_findings(coverage: Coverage, *, sided: bool) -> list[Finding]:
    found = []
    cut = [
        name
        for names, shares, far, reach in zip(
            FACES, coverage.border_share, coverage.border_mm, REACH_MM, strict=True
        )
        for name, share, mm, least in zip(names, shares, far, reach, strict=True)
        if share > CUT_SHARE and mm < least
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
