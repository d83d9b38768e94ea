"""The edge of lesions on the scan's own voxels, at half of the lesions' brightness.

A network that sees resampled slices draws soft outlines. Raters draw to the half-way intensity on
the native grid: so does this step, near to where the network saw something.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leuko.anatomy.levels import white_matter_level
from leuko.anatomy.shading import Shading, shading_of
from leuko.anatomy.tissues import BRAIN, tissue_mask
from leuko.masks.box import bounding_box, grow_box
from leuko.masks.morphology import dilate
from leuko.postprocess.effect import Effect, effect_of

__all__ = ["Refined", "Refinement", "refine"]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float32]
FloatArray64 = npt.NDArray[np.float64]
Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Refinement:
    """Parameters of the refinement.

    `support` is the probability from which a voxel as bright as the edge holds or extends lesions.
    `evidence` is what brightness adds to the network's log-odds between the levels of brain and of
    lesions: with 4, a voxel of support .5 and as bright as lesions are needs a probability of .12.
    (By two normal distributions it would be the squared contrast to noise; but the network has
    seen the brightness, too.) `level` places the edge between the brightness of brain (0) and
    lesion (1); the edge lies within `reach_mm` of supported voxels. The brightness of lesions is
    the quantile `summit` of their voxels: .5 is the median, .9 the bright core that raters halve.
    Where lesions are hardly brighter than the brain, as caps and the fornix of healthy heads are,
    half-way says little: the edge is at least `deviations` robust standard deviations above normal
    white matter.

    But for that drift, one brightness holds for the whole scan. Levels of each lesion by itself,
    summits within 6 to 20 mm, white matter within 15 mm and an edge that high odds may lower were
    tried: each helped some sets of scans and harmed others as much or more.
    """

    support: float = 0.5
    evidence: float = 0.0
    level: float = 0.5
    reach_mm: float = 1.0
    summit: float = 0.9
    deviations: float = 0.0


@dataclass(frozen=True, slots=True)
class Refined:
    """What the refinement measured and did; levels are None where it had nothing to go by.

    `drift` is the drift of brightness over white matter that was taken out, the brightest over the
    darkest; 1 is none.
    """

    effect: Effect
    brain_level: float | None
    lesion_level: float | None
    drift: float = 1.0

    def as_details(self) -> dict[str, float]:
        """What goes into the record of the step."""
        levels = {"brain_level": self.brain_level, "lesion_level": self.lesion_level}
        known = {name: level for name, level in levels.items() if level is not None}
        return known | {"drift": self.drift} | self.effect.as_details()


def refine(
    mask: BoolArray,
    *,
    probability: FloatArray,
    image: npt.NDArray[np.generic],
    anatomy: npt.NDArray[np.uint8],
    spacing: Triple,
    parameters: Refinement | None = None,
) -> tuple[BoolArray, Refined]:
    """Redraw lesions: voxels of the brain, brighter than the edge, near to supported voxels.

    The lesion level is the summit of the intensities in `mask`, the brain level the median of
    normal white matter, both without the drift of brightness across the scan: what a coil makes
    brighter is no lesion. Nothing happens to an empty mask, nor where lesions are no brighter.

    Args:
        mask: the thresholded probability, canonical axes like all arrays here.
        probability: 0..1.
        image: intensities in any unit.
        anatomy: tissues (values of `Tissue`).
        spacing: mm between voxels along each axis.
        parameters: how to refine; the defaults without.
    """
    how = parameters or Refinement()
    if not mask.any():
        return mask, Refined(effect_of(mask, mask), brain_level=None, lesion_level=None)
    shading = shading_of(image, anatomy=anatomy, mask=mask)
    brain = white_matter_level(image, anatomy=anatomy, mask=mask, shading=shading)
    lesion_level = float(np.quantile(shading.evened(image, np.nonzero(mask)), how.summit))
    if brain is None or lesion_level <= brain.median:
        same = effect_of(mask, mask)
        return mask, Refined(same, brain.median if brain else None, lesion_level, shading.ratio)
    refined = np.zeros(mask.shape, dtype=np.bool_)
    supported = _supported(
        probability,
        image,
        how,
        shading=shading,
        brain_level=brain.median,
        lesion_level=lesion_level,
    )
    tight = bounding_box(supported)
    if tight is not None:
        x, y, z = (int(np.ceil(how.reach_mm / step)) for step in spacing)
        box = grow_box(tight, by=(x, y, z), shape=mask.shape)
        zone = dilate(supported[box], spacing=spacing, radius_mm=how.reach_mm)
        near = np.nonzero(zone & (tissue_mask(anatomy[box], BRAIN) | mask[box]))
        voxels = tuple(places + side.start for places, side in zip(near, box, strict=True))
        above = max(how.level * (lesion_level - brain.median), how.deviations * brain.deviation)
        refined[voxels] = shading.evened(image, voxels) > np.float32(brain.median + above)
    effect = effect_of(mask, refined)
    return refined, Refined(effect, brain.median, lesion_level, shading.ratio)


def _supported(
    probability: FloatArray,
    image: npt.NDArray[np.generic],
    how: Refinement,
    *,
    shading: Shading,
    brain_level: float,
    lesion_level: float,
) -> BoolArray:
    """Where the network's odds and those of the brightness together say `support` or more.

    Brightness counts for one step between the levels at most: nothing is lesion for being bright
    alone.
    """
    least = _weakened(how.support, np.float64(how.evidence))
    supported = np.asarray(probability >= np.float32(least))
    if how.evidence:
        voxels = np.nonzero(supported)
        bright = shading.evened(image, voxels).astype(np.float64) - brain_level
        above = np.clip(bright / (lesion_level - brain_level) - how.level, -1.0, 1.0)
        supported[voxels] = probability[voxels] >= _weakened(how.support, how.evidence * above)
    return supported


def _weakened(probability: float, log_odds: FloatArray64 | np.float64) -> FloatArray64:
    """The probability whose log-odds are smaller by `log_odds`; 0 and 1 stay."""
    share = probability * np.exp(-log_odds)
    return np.asarray(share / (share + (1.0 - probability)))
