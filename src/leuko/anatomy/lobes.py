"""Lobes, by planes on the template that are written down here and in docs/atlas.md.

All coordinates are MNI mm (`template.SPACE`): x to the right, y to the front, z up; the same rules
hold on both sides (|x|). They follow landmarks: the central sulcus, the Sylvian fissure, the
parieto-occipital sulcus with the pre-occipital notch, the tentorium. Borders between lobes are
conventions where no sulcus reaches, deep in white matter most of all.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from leuko.models.classes import Tissue
from leuko.registration.transforms import Affine

__all__ = ["LOBE_VALUES", "Lobe", "lobe_map", "lobes_at"]

Labels = npt.NDArray[np.uint8]
Triple = tuple[float, float, float]
FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

SLAB_VOXELS = 200_000  # looked at together


class Lobe(StrEnum):
    """The parts of a brain; basal ganglia: deep grey matter with the capsules between."""

    FRONTAL = "frontal"
    PARIETAL = "parietal"
    TEMPORAL = "temporal"
    OCCIPITAL = "occipital"
    INSULAR = "insular"
    BASAL_GANGLIA = "basal_ganglia"
    INFRATENTORIAL = "infratentorial"


LOBE_VALUES: Mapping[Lobe, int] = MappingProxyType(
    {lobe: value for value, lobe in enumerate(Lobe, start=1)}
)
"""What stands in a label map of lobes; 0 is outside the head."""


def lobe_map(
    anatomy: Labels,
    *,
    from_template: Affine,
    spacing: Triple,
    lesions: BoolArray | None = None,
) -> Labels:
    """The lobe (values of `LOBE_VALUES`) of every voxel that is no background, and of `lesions`.

    What the head's own anatomy names counts first: brainstem and cerebellum are infratentorial,
    deep grey matter is basal ganglia; all else, fluid too, is told by the planes (`lobes_at`).

    Args:
        anatomy: tissues (values of `Tissue`), canonical axes.
        from_template: `template_landing.Placement.from_template` of a head that landed.
        spacing: mm between voxels along each axis.
        lesions: on the same voxels; they get a lobe wherever they lie.
    """
    found = np.zeros(anatomy.shape, dtype=np.uint8)
    wanted = anatomy != Tissue.BACKGROUND
    if lesions is not None:
        wanted |= lesions
    flat = np.flatnonzero(wanted)
    to_mni = from_template.inverse().matrix.astype(np.float32)
    step = np.array(spacing, dtype=np.float32)
    told = found.reshape(-1)
    for part in np.array_split(flat, max(1, len(flat) // SLAB_VOXELS)):
        index = np.stack(np.unravel_index(part, anatomy.shape), axis=1).astype(np.float32)
        told[part] = lobes_at((index * step) @ to_mni[:3, :3].T + to_mni[:3, 3])
    own = np.zeros(256, dtype=np.uint8)
    own[[Tissue.BRAINSTEM, Tissue.CEREBELLUM]] = LOBE_VALUES[Lobe.INFRATENTORIAL]
    own[Tissue.DEEP_GREY] = LOBE_VALUES[Lobe.BASAL_GANGLIA]
    named = own[anatomy]
    return np.where(named > 0, named, found)


def lobes_at(points: npt.NDArray[np.floating]) -> Labels:
    """The lobe (values of `LOBE_VALUES`) at points (..., 3) in MNI mm, by the planes alone."""
    across, y, z = (np.asarray(points[..., axis], dtype=np.float32) for axis in range(3))
    x = np.abs(across)
    occipital = y < _occipital_border(x, z)
    rules = (
        (_below_tentorium(x, y, z), Lobe.INFRATENTORIAL),
        (_basal_ganglia(x, y, z), Lobe.BASAL_GANGLIA),
        (_insular(x, y, z), Lobe.INSULAR),
        (occipital, Lobe.OCCIPITAL),
        (_temporal(x, y, z), Lobe.TEMPORAL),
        (_before_central_sulcus(y, z), Lobe.FRONTAL),
    )
    return np.select(
        [rule for rule, _ in rules],
        [np.uint8(LOBE_VALUES[lobe]) for _, lobe in rules],
        default=np.uint8(LOBE_VALUES[Lobe.PARIETAL]),
    ).astype(np.uint8)


def _below_tentorium(x: FloatArray, y: FloatArray, z: FloatArray) -> BoolArray:
    """Cerebellum behind y = -38, brainstem within 16 mm of the midline."""
    tent = -4 - 0.5 * x + 0.4 * np.minimum(0, y + 55)
    behind = (y < -38) & (z < tent)
    stem = (x < 16) & (y < -8) & (z < -10)
    return np.asarray(behind | stem)


def _basal_ganglia(x: FloatArray, y: FloatArray, z: FloatArray) -> BoolArray:
    """Striatum, pallidum, thalamus and the capsules: up to 32 mm from the midline."""
    before = np.maximum(0, y - 8)
    after = np.maximum(0, -18 - y)
    wide = x < 32 - 0.7 * before - 0.4 * after
    bottom = np.where(x < np.where(y > -4, 22, 12), -12, -6)
    return np.asarray(wide & (y > -34) & (y < 22) & (z > bottom) & (z < 18))


def _insular(x: FloatArray, y: FloatArray, z: FloatArray) -> BoolArray:
    """The island with the extreme capsule, beside the basal ganglia."""
    outer = x < 43 - 0.15 * np.abs(y)
    return np.asarray((x >= 28) & outer & (y > -22) & (y < 24) & (z > -10) & (z < 17))


def _occipital_border(x: FloatArray, z: FloatArray) -> FloatArray:
    """The y behind which the occipital lobe lies: the sulcus medially, the notch laterally."""
    out = np.clip(x - 10, 0, 35) / np.float32(35)
    return np.asarray(-(55 + 11 * out) - (0.62 - 0.22 * out) * z)


def _temporal(x: FloatArray, y: FloatArray, z: FloatArray) -> BoolArray:
    """Below the Sylvian fissure, which rises to the back up to z = 22."""
    deep = 0.5 * np.maximum(0, 40 - x) * np.clip((y + 45) / 10, 0, 1)
    fissure = np.minimum(22, 2 - 0.6 * (y + 10)) - deep
    inner = np.where((x < 32) & (y > -34), np.maximum(fissure, -6), fissure)
    pole = -8 - 1.2 * (y - 5)
    border = np.where(y > 5, np.minimum(inner, pole), inner)
    return np.asarray((z < border) & (x > np.where(y > 3, 18, 12)))


def _before_central_sulcus(y: FloatArray, z: FloatArray) -> BoolArray:
    """The sulcus runs down and forward to z = 20; what lies under the basal ganglia is frontal."""
    return np.asarray((y > 4 - 0.54 * np.maximum(z, 20)) | ((z < -6) & (y > -30)))
