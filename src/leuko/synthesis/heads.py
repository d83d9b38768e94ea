"""Label maps of whole heads, brought into the form the generator draws from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from os import PathLike
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.errors import UnusableInput
from leuko.formats.read import read_scan
from leuko.image.image import to_canonical
from leuko.models.classes import Tissue

__all__ = ["DISTANCE_STEP_MM", "TISSUE_OF_KIND", "Head", "Kind", "load_head"]

DISTANCE_STEP_MM = 0.25  # distances are stored in bytes, up to 63.75 mm


class Kind(IntEnum):
    """What the generator tells apart by intensity: finer than the classes of the network."""

    AIR = 0
    CSF = 1
    CORTEX = 2
    THALAMUS = 3
    CAUDATE = 4
    PUTAMEN = 5
    PALLIDUM = 6
    WHITE_MATTER = 7
    VENTRICLES = 8
    BRAINSTEM = 9
    CEREBELLAR_WHITE = 10
    CEREBELLAR_CORTEX = 11
    HIPPOCAMPUS = 12  # with amygdala
    CHOROID = 13
    VENTRAL_DC = 14
    SOFT_TISSUE = 15
    FAT = 16
    SKULL = 17
    MARROW = 18  # with dura
    EYE = 19
    ORBIT = 20
    AIRWAY = 21
    OTHER = 22


_KIND_OF_ID: Mapping[Kind, tuple[int, ...]] = {
    Kind.CSF: (24, 72),  # what may lie between the leaves of the septum is no ventricle
    Kind.CORTEX: (3, 42),
    Kind.THALAMUS: (10, 49),
    Kind.CAUDATE: (11, 50, 26, 58),
    Kind.PUTAMEN: (12, 51),
    Kind.PALLIDUM: (13, 52),
    # 25/57 and 77 are lesions of the map's own subject: white matter before new ones are drawn.
    Kind.WHITE_MATTER: (2, 41, 25, 57, 77),
    Kind.VENTRICLES: (4, 43, 5, 44, 14, 15),
    Kind.BRAINSTEM: (16,),
    Kind.CEREBELLAR_WHITE: (7, 46),
    Kind.CEREBELLAR_CORTEX: (8, 47),
    Kind.HIPPOCAMPUS: (17, 53, 18, 54),
    Kind.CHOROID: (136, 137, 163, 164),
    Kind.VENTRAL_DC: (28, 60, 85, 30, 62),
    Kind.SOFT_TISSUE: (507,),
    Kind.FAT: (511,),
    Kind.SKULL: (515,),
    Kind.MARROW: (516,),
    Kind.EYE: (506,),
    Kind.ORBIT: (508, 509, 530),
    Kind.AIRWAY: (502, 512),
    Kind.OTHER: (514,),
}

TISSUE_OF_KIND: Mapping[Kind, Tissue] = {
    Kind.CSF: Tissue.CSF,
    Kind.CORTEX: Tissue.CORTEX,
    Kind.HIPPOCAMPUS: Tissue.CORTEX,
    Kind.THALAMUS: Tissue.DEEP_GREY,
    Kind.CAUDATE: Tissue.DEEP_GREY,
    Kind.PUTAMEN: Tissue.DEEP_GREY,
    Kind.PALLIDUM: Tissue.DEEP_GREY,
    Kind.VENTRAL_DC: Tissue.DEEP_GREY,
    Kind.WHITE_MATTER: Tissue.WHITE_MATTER,
    Kind.VENTRICLES: Tissue.VENTRICLES,
    Kind.CHOROID: Tissue.VENTRICLES,
    Kind.BRAINSTEM: Tissue.BRAINSTEM,
    Kind.CEREBELLAR_WHITE: Tissue.CEREBELLUM,
    Kind.CEREBELLAR_CORTEX: Tissue.CEREBELLUM,
}
_LEFT_IDS = (4, 5)  # lateral ventricles; choroid plexus has no reliable side
_RIGHT_IDS = (43, 44)
_CHOROID_IDS = (136, 137, 163, 164)
SEPTUM_MM = (2.0, 4.0)  # from both lateral ventricles: the septum pellucidum and the fornix
TRACT_RADIUS_MM = 5.0

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """One head on a canonical (RAS) grid; all arrays have one shape, distances are in 0.25 mm.

    `kinds` holds `Kind` values; `to_ventricles`, `to_cortex` and `to_brain` the distance to the
    lateral ventricles, the cortex and brain tissue. Two places look bright in healthy heads:
    `tract`, the corticospinal tract from the motor cortex through the internal capsule into the
    brainstem, and `septum`, what lies between the lateral ventricles.
    """

    kinds: Bytes
    to_ventricles: Bytes
    to_cortex: Bytes
    to_brain: Bytes
    tract: npt.NDArray[np.bool_]
    septum: npt.NDArray[np.bool_]
    spacing: tuple[float, float, float]
    brain_box: tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
    ventricle_extent: tuple[int, int]  # first and last index along axis 1


def load_head(path: str | PathLike[str]) -> Head:
    """Read a label map with FreeSurfer ids (and 502-530 outside the brain).

    Raises UnusableInput if it holds no white matter or no lateral ventricles.
    """
    image = read_scan(Path(path))
    labels = np.ascontiguousarray(to_canonical(image.data, image.grid)).astype(np.int64)
    table = np.zeros(max(600, int(labels.max()) + 1), dtype=np.uint8)
    for kind, ids in _KIND_OF_ID.items():
        table[list(ids)] = kind
    kinds = table[labels]
    left, right = np.isin(labels, _LEFT_IDS), np.isin(labels, _RIGHT_IDS)
    lateral = left | right | np.isin(labels, _CHOROID_IDS)
    if not lateral.any() or not (kinds == Kind.WHITE_MATTER).any():
        raise UnusableInput(
            f"{Path(path).name} is no label map of a head: white matter or ventricles are missing.",
            hint="The generator needs FreeSurfer ids: 2/41 white matter, 4/43 lateral ventricles.",
        )
    brain = _in_brain(kinds)
    spacing = image.grid.canonical().spacing
    box = _box(brain)
    apart = np.maximum(_distance(left, box, spacing), _distance(right, box, spacing))
    membrane, fornix = (mm / DISTANCE_STEP_MM for mm in SEPTUM_MM)
    septum = (kinds == Kind.VENTRICLES) & (apart <= membrane)
    septum |= (kinds == Kind.WHITE_MATTER) & (apart <= fornix)
    front_to_back = np.flatnonzero(lateral.any(axis=(0, 2)))
    return Head(
        kinds=kinds,
        to_ventricles=_distance(lateral, box, spacing),
        to_cortex=_distance(kinds == Kind.CORTEX, box, spacing),
        to_brain=_distance(brain, box, spacing),
        tract=_corticospinal_tract(kinds, box, spacing),
        septum=septum,
        spacing=spacing,
        brain_box=box,
        ventricle_extent=(int(front_to_back[0]), int(front_to_back[-1])),
    )


def _corticospinal_tract(
    kinds: Bytes,
    box: tuple[tuple[int, int], tuple[int, int], tuple[int, int]],
    spacing: tuple[float, float, float],
) -> npt.NDArray[np.bool_]:
    """White matter and brainstem along the posterior limbs of the internal capsules.

    From the limb's highest part the tract rises outwards to the motor cortex, from its lowest it
    falls inwards through the brainstem: straight lines of 5 mm radius.
    """
    near = 6 / DISTANCE_STEP_MM
    limb = (
        (kinds == Kind.WHITE_MATTER)
        & (_distance(kinds == Kind.THALAMUS, box, spacing) <= near)
        & (_distance(np.isin(kinds, (Kind.PUTAMEN, Kind.PALLIDUM)), box, spacing) <= near)
    )
    tract: npt.NDArray[np.bool_] = limb.copy()
    bearing: npt.NDArray[np.bool_] = np.isin(
        kinds, (Kind.WHITE_MATTER, Kind.BRAINSTEM, Kind.VENTRAL_DC)
    )
    middle = sum(box[0]) / 2
    columns = np.indices(kinds.shape[:2]) * np.reshape(spacing[:2], (2, 1, 1))
    for side in (-1, 1):
        x, y, z = np.nonzero(limb)
        own = np.sign(x - middle) == side
        if not own.any():
            continue
        x, y, z = x[own] * spacing[0], y[own] * spacing[1], z[own] * spacing[2]
        height = np.arange(kinds.shape[2]) * spacing[2]
        top, bottom = np.quantile(z, (0.9, 0.1))
        centre = middle * spacing[0]
        above = np.median(x[z >= top]), np.median(y[z >= top])
        below = np.median(x[z <= bottom]), np.median(y[z <= bottom])
        for index, level in enumerate(height):
            if level > top:
                across = above[0] + side * 0.45 * (level - top)
                along = above[1] - 0.1 * (level - top)
            elif level < bottom:
                done = min(1.0, (bottom - level) / 45.0)
                across = below[0] + (centre + side * 6.0 - below[0]) * done
                along = below[1] - 10.0 * done
            else:
                continue
            distance = np.hypot(columns[0] - across, columns[1] - along)
            tract[..., index] |= (distance <= TRACT_RADIUS_MM) & bearing[..., index]
    return tract


def _in_brain(kinds: Bytes) -> npt.NDArray[np.bool_]:
    table = np.zeros(256, dtype=np.bool_)
    table[[kind for kind, tissue in TISSUE_OF_KIND.items() if tissue is not Tissue.CSF]] = True
    return np.asarray(table[kinds])


def _box(
    mask: npt.NDArray[np.bool_],
) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    ends = []
    for axis in range(3):
        index = np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis)))
        ends.append((int(index[0]), int(index[-1]) + 1))
    return (ends[0], ends[1], ends[2])


def _distance(
    target: npt.NDArray[np.bool_],
    box: tuple[tuple[int, int], tuple[int, int], tuple[int, int]],
    spacing: tuple[float, float, float],
) -> Bytes:
    """Distance to `target`, computed near the brain; farther away it is the largest value."""
    margin = 10
    window = tuple(
        slice(max(0, low - margin), min(size, high + margin))
        for (low, high), size in zip(box, target.shape, strict=True)
    )
    out = np.full(target.shape, 255, dtype=np.uint8)
    millimetres = ndimage.distance_transform_edt(~target[window], sampling=spacing)
    out[window] = np.clip(np.round(millimetres / DISTANCE_STEP_MM), 0, 255).astype(np.uint8)
    return out
