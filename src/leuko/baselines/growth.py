"""Lesions by one threshold: seeds that are clearly too bright, grown to what is rather bright."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.baselines.registry import Parameters
from leuko.baselines.scene import Scene
from leuko.masks.box import bounding_box

__all__ = ["grown"]

_TOUCHING = np.ones((3, 3, 3), dtype=bool)


def grown(scene: Scene, parameters: Parameters) -> npt.NDArray[np.bool_]:
    """Voxels above `kappa` * `grow` (z-score) that touch one above `kappa`, as a mask (X, Y, Z).

    Touching is 26-connected and transitive. The outer `inset_mm` of the region is left out: cortex
    and partial volume with scalp are bright, too.

    Source: the idea of lesion growth is that of LST (Schmidt and others, NeuroImage 2012); its
    tissue classes and belief maps are not modelled here.
    """
    found = np.zeros(scene.region.shape, dtype=np.bool_)
    inner = scene.inner(parameters["inset_mm"])
    box = bounding_box(inner)
    if box is None:
        return found
    values, kappa = scene.values[0][box], parameters["kappa"]
    candidates = inner[box] & (values > kappa * parameters["grow"])
    labels, count = ndimage.label(candidates, structure=_TOUCHING)
    seeded = np.zeros(count + 1, dtype=np.bool_)
    seeded[labels[candidates & (values > kappa)]] = True
    found[box] = seeded[labels]
    return found
