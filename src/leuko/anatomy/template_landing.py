"""Whether a head really landed on the template: what is asked before any number relies on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leuko.anatomy.template import SPACE, load_template
from leuko.anatomy.template_fit import fit_template
from leuko.anatomy.tissues import BRAIN
from leuko.findings import Finding, Severity
from leuko.image.grid import Grid
from leuko.models.classes import Tissue
from leuko.registration.transforms import Affine

__all__ = ["Placement", "landing_findings", "place_on_template"]

Labels = npt.NDArray[np.uint8]
Triple = tuple[float, float, float]

# benchmarks/landing.py prints what real heads, cut heads and wrong inputs reach.
LEAST_BRAIN, LEAST_WHITE, LEAST_DEEP = 0.80, 0.50, 0.45
LEAST_SEEN = 0.5  # of the template's brain must lie in the scan
SCALES = (0.65, 1.35)  # how much longer or shorter the head is along any direction
DEGREES = 50.0
STEP = 2  # voxels of the template that are looked at along each axis: every 4 mm

IS_BRAIN = np.isin(np.arange(256), (*BRAIN, Tissue.VENTRICLES))


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a head lies on the template, and how well it does.

    `from_template` leads from MNI mm to mm along the head's canonical axes, from the first voxel's
    centre. Overlaps are Dice coefficients with the template's tissues, where the scan reaches.
    """

    from_template: Affine
    brain: float
    white_matter: float
    deep_grey: float
    ventricles: float
    seen: float  # share of the template's brain that lies in the scan
    scales: Triple  # lengths in the head to lengths in the template, smallest first
    degrees: float

    @property
    def landed(self) -> bool:
        """Whether what is measured with the template can be relied on."""
        return not self.doubts

    @property
    def doubts(self) -> tuple[str, ...]:
        """What speaks against it, in words."""
        low, high = self.scales[0], self.scales[-1]
        told = [
            (self.seen < LEAST_SEEN, f"only {self.seen:.0%} of a brain lies in the scan"),
            (self.brain < LEAST_BRAIN, f"the brain overlaps by {self.brain:.2f} (Dice)"),
            (self.white_matter < LEAST_WHITE, f"white matter by {self.white_matter:.2f}"),
            (self.deep_grey < LEAST_DEEP, f"deep grey matter by {self.deep_grey:.2f}"),
            (
                low < SCALES[0] or high > SCALES[1],
                f"it had to be stretched by {low:.2f} to {high:.2f}",
            ),
            (self.degrees > DEGREES, f"it had to be turned by {self.degrees:.0f} degrees"),
        ]
        return tuple(text for wrong, text in told if wrong)

    def to_world(self, grid: Grid) -> Affine:
        """The map from MNI mm to the world (RAS, mm) of a scan with this canonical grid."""
        return Affine(_mm_to_world(grid) @ self.from_template.matrix)


def place_on_template(anatomy: Labels, *, spacing: Triple) -> Placement | None:
    """Lay a head on the template and look how well it fits; None without 100 ml of brain.

    Args:
        anatomy: tissues (values of `Tissue`), canonical axes.
        spacing: mm between voxels along each axis.
    """
    fitted = fit_template(anatomy, spacing=spacing)
    if fitted is None:
        return None
    template = load_template()
    thin = (slice(None, None, STEP),) * 3
    wanted = template.tissues[thin].reshape(-1)
    index = np.indices(template.tissues[thin].shape).reshape(3, -1).T * STEP
    places = fitted.apply_to_points(template.grid.to_world(index)) / np.array(spacing)
    voxels = np.rint(places).astype(np.intp)
    inside = ((voxels >= 0) & (voxels < np.array(anatomy.shape))).all(axis=1)
    found, there = anatomy[tuple(voxels[inside].T)], wanted[inside]
    stretch = np.linalg.svd(fitted.matrix[:3, :3])[1]
    low, middle, high = (round(float(one), 4) for one in sorted(stretch))
    return Placement(
        from_template=fitted,
        brain=_dice(IS_BRAIN[found], IS_BRAIN[there]),
        white_matter=_dice(found == Tissue.WHITE_MATTER, there == Tissue.WHITE_MATTER),
        deep_grey=_dice(found == Tissue.DEEP_GREY, there == Tissue.DEEP_GREY),
        ventricles=_dice(found == Tissue.VENTRICLES, there == Tissue.VENTRICLES),
        seen=float(IS_BRAIN[there].sum() / IS_BRAIN[wanted].sum()),
        scales=(low, middle, high),
        degrees=fitted.angle_degrees,
    )


def landing_findings(placement: Placement | None, *, oriented: bool = True) -> tuple[Finding, ...]:
    """`atlas.not_landed` where numbers of the template are left out, and why.

    `oriented` is False for a scan whose file does not say which side is left.
    """
    if not oriented:
        return (_missing("the file does not say how the head lies in it"),)
    if placement is None:
        return (_missing("there is too little brain in the scan"),)
    if placement.doubts:
        return (_missing(f"{'; '.join(placement.doubts)}"),)
    return ()


def _missing(why: str) -> Finding:
    return Finding(
        "atlas.not_landed",
        Severity.WARNING,
        f"The head could not be laid on the template ({SPACE}): {why}.",
        "Lobes, atlas regions and the mask in MNI space are left out. Check that the scan shows a "
        "whole head and that its orientation is right.",
    )


def _dice(one: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_]) -> float:
    total = int(one.sum()) + int(other.sum())
    return 2 * int((one & other).sum()) / total if total else 0.0


def _mm_to_world(grid: Grid) -> npt.NDArray[np.float64]:
    """From mm along the axes of a canonical grid to its world."""
    matrix = grid.affine.copy()
    matrix[:3, :3] /= np.array(grid.spacing)
    return matrix
