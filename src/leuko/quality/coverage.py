"""How much brain the scan holds, and whether its borders cut it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.findings import Finding, Severity
from leuko.models.classes import Tissue

__all__ = ["THINNED_FROM", "Coverage", "coverage_findings", "coverage_of", "no_brain"]

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
LEAST_BRAIN_ML, LEAST_WHITE_ML, MOST_BRAIN_ML = 150.0, 30.0, 2200.0
# A brain is cut where the outermost plane holds more of it than this (of the fullest plane) and
# lies nearer to the brain's middle than whole brains reach: left, right, back, front, bottom, top.
CUT_SHARE = 0.15
REACH_MM = ((55.0, 55.0), (75.0, 60.0), (50.0, 62.0))
THINNED_FROM = 100  # planes; axes with more are thinned where detail does not matter
FACES = (("left", "right"), ("back", "front"), ("bottom", "top"))


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much brain the network found and where it meets the border of the scan."""

    brain_ml: float
    white_matter_ml: float
    border_share: tuple[tuple[float, float], ...]  # per axis: low and high face, 0..1
    border_mm: tuple[tuple[float, float], ...]  # from the brain's middle to these faces
    middle: tuple[float, ...]  # of the brain, in voxels


def coverage_of(data: Voxels, *, anatomy: Labels, spacing: tuple[float, float, float]) -> Coverage:
    """Volumes of brain and white matter and the share of brain in the outermost planes."""
    voxel_ml = float(np.prod(spacing)) / 1000
    ml = {tissue: np.count_nonzero(anatomy == tissue) * voxel_ml for tissue in BRAIN}
    # Areas need no detail; a plane more or less at the border does not matter either.
    steps = [2 if length >= THINNED_FROM else 1 for length in data.shape]
    thin = tuple(slice(None, None, step) for step in steps)
    # The spinal cord goes on below: what ends there is no cut brain.
    few = np.ascontiguousarray(anatomy[thin])
    body = _IS_BODY[few]
    held = _held_planes(data[thin])
    middle = _middle(few)
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


def _held_planes(data: Voxels) -> list[tuple[int, int]]:
    """First and last plane along each axis that are more than padding."""
    whole = np.ascontiguousarray(data)
    high, low = whole.max(axis=2), whole.min(axis=2)
    found = []
    for varied in (
        high.max(axis=1) != low.min(axis=1),
        high.max(axis=0) != low.min(axis=0),
        whole.max(axis=(0, 1)) != whole.min(axis=(0, 1)),
    ):
        held = np.flatnonzero(varied)
        found.append((int(held[0]), int(held[-1])) if held.size else (0, varied.size - 1))
    return found


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


def _border_share(
    body: npt.NDArray[np.bool_], axis: int, held: tuple[int, int]
) -> tuple[float, float]:
    """Brain in the first and last plane, as shares of the fullest plane."""
    areas = body.sum(axis=tuple(k for k in range(3) if k != axis))
    if not areas.any():
        return (0.0, 0.0)
    return (float(areas[held[0]] / areas.max()), float(areas[held[1]] / areas.max()))


def no_brain(coverage: Coverage) -> Finding | None:
    """The refusal of a scan without a brain."""
    if coverage.brain_ml >= LEAST_BRAIN_ML and coverage.white_matter_ml >= LEAST_WHITE_ML:
        return None
    return Finding(
        "scan.no_brain",
        Severity.REFUSAL,
        f"The network found no brain in this scan, only {coverage.brain_ml:.0f} ml of tissue "
        "like it.",
        "Give the FLAIR of a head; check its orientation and voxel size.",
    )


def coverage_findings(coverage: Coverage, *, sided: bool) -> list[Finding]:
    """Findings where the brain is cut or too large; `sided` as in `anatomy_checks`."""
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
