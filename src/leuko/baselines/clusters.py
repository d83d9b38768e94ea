"""Lesions as the brightest of several groups of voxels, found without any truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.baselines.learn import learning
from leuko.baselines.registry import Parameters
from leuko.baselines.scene import Scene
from leuko.masks.box import bounding_box

__all__ = ["kmeans", "mixture"]

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

SMOOTH_MM = 1.0
VOXELS = 10000  # that the groups are learnt from; all others are assigned
SEED = 0


def mixture(scene: Scene, parameters: Parameters) -> BoolArray:
    """Voxels (X, Y, Z) most likely of the brightest of `components` Gaussians, above the median."""
    with learning():
        from sklearn.mixture import GaussianMixture

        model = GaussianMixture(
            int(parameters["components"]), reg_covar=1e-3, max_iter=200, random_state=SEED
        )
        return _brightest(scene, model, inset_mm=parameters["inset_mm"])


def kmeans(scene: Scene, parameters: Parameters) -> BoolArray:
    """Voxels (X, Y, Z) of the brightest of `clusters` clusters, above the median."""
    with learning():
        from sklearn.cluster import KMeans

        model = KMeans(int(parameters["clusters"]), n_init=3, random_state=SEED)
        return _brightest(scene, model, inset_mm=parameters["inset_mm"])


def _brightest(scene: Scene, model: Any, *, inset_mm: float) -> BoolArray:
    """The group whose mean in the first channel is highest. `model`: fit, predict of scikit-learn.

    A voxel is described by each channel's z-score, as it is and smoothed by 1 mm.
    """
    inner = scene.inner(inset_mm)
    found = np.zeros(scene.region.shape, dtype=np.bool_)
    if not inner.any():
        return found
    described = _described(scene, inner)
    stride = max(1, len(described) // VOXELS)
    sample = described[::stride]
    groups = getattr(model, "n_components", None) or model.n_clusters
    if len(np.unique(sample, axis=0)) <= groups:
        return found
    model.fit(sample)
    means = model.means_ if hasattr(model, "means_") else model.cluster_centers_
    members = np.asarray(model.predict(described)) == int(np.argmax(means[:, 0]))
    # A wide Gaussian also owns what is far too dark.
    found[inner] = members & (described[:, 0] > np.median(described[:, 0]))
    return found


def _described(scene: Scene, inner: BoolArray) -> FloatArray:
    """The channels' z-scores (N, 2 C) in `inner`, as they are and smoothed."""
    box = bounding_box(inner)
    sigma = [SMOOTH_MM / step for step in scene.spacing]
    plain = [channel[inner] for channel in scene.values]
    smooth = [
        ndimage.gaussian_filter(channel[box], sigma, mode="nearest")[inner[box]]
        for channel in scene.values
    ]
    return np.stack([*plain, *smooth], axis=1)
