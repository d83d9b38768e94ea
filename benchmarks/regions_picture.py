"""A picture of the four rules for periventricular on one head."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt

from leuko.anatomy.periventricular import Rule
from leuko.image.image import Image, to_canonical
from leuko.preparation.intensity import brain_level
from leuko.quantify.places import Places
from leuko.quantify.voxels import lesion_voxels
from small_png import save_small

__all__ = ["draw_rules"]

NEAR, FAR, BELOW = (230, 159, 0), (0, 158, 230), (204, 121, 167)
TITLES = {
    Rule.CONTINUITY: "continuity\nlesions that share a face\nwith the ventricle",
    Rule.VOXEL_10MM: "voxel_10mm\neach voxel by itself,\nup to 10 mm",
    Rule.CLUSTER_2MM: "cluster_2mm\nlesions up to 2 mm\nfrom the ventricle",
    Rule.TOUCHING: "touching\nlesions that meet it\nafter one voxel of dilation",
}
BRIGHTEST = 2.0  # times the level of the brain
MARGIN = 26
APART = 2  # slices between the two that are shown


def draw_rules(flair: Image, labels: npt.NDArray[np.int32], places: Places, *, path: Path) -> None:
    """Write a PNG: a column a rule, in the fullest slice and where rules differ; right is left.

    `labels` and `places` are those of the lesions, canonical axes.
    """
    assert places.ventricles is not None
    mpl.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.patches import Patch

    scan = to_canonical(flair.data, flair.grid).astype(np.float32)
    voxels = lesion_voxels(labels)
    below = places.infratentorial[voxels.labels - 1]
    calls = np.stack([places.ventricles.voxels[rule] for rule in Rule])
    unlike = (calls.any(axis=0) & ~calls.all(axis=0) & ~below).astype(np.int64)
    of_slice = voxels.indices[:, 2]
    most = int(np.argmax(np.bincount(of_slice)))
    differing = np.bincount(of_slice, weights=unlike, minlength=scan.shape[2])
    differing[max(most - APART + 1, 0) : most + APART] = -1
    picks = sorted((most, int(np.argmax(differing))), reverse=True)
    low = np.maximum(voxels.indices.min(axis=0) - MARGIN, 0)
    high = voxels.indices.max(axis=0) + MARGIN
    x, y = slice(low[0], high[0]), slice(low[1], high[1])
    spacing = flair.grid.canonical().spacing
    limit = BRIGHTEST * brain_level(scan)
    figure, axes = plt.subplots(len(picks), len(Rule) + 1, figsize=(10.9, 6.4), facecolor="white")
    for row, k in enumerate(picks):
        plane = np.clip(scan[x, y, k] / limit, 0, 1)
        grey = np.repeat((255 * plane[..., None]).astype(np.uint8), 3, axis=2)
        for column, rule in enumerate((None, *Rule)):
            shown = grey.copy()
            if rule is not None:
                colours = np.where(places.ventricles.voxels[rule][:, None], NEAR, FAR)
                colours[below] = BELOW
                here = voxels.indices[:, 2] == k
                at = voxels.indices[here] - low
                shown[at[:, 0], at[:, 1]] = colours[here]
            axis = axes[row, column]
            axis.imshow(shown.transpose(1, 0, 2)[::-1, ::-1], aspect=spacing[1] / spacing[0])
            axis.axis("off")
            if row == 0:
                axis.set_title("FLAIR" if rule is None else TITLES[rule], fontsize=9, loc="left")
    keys = [Patch(color="#{:02x}{:02x}{:02x}".format(*colour), label=text)
            for colour, text in ((NEAR, "periventricular"), (FAR, "deep"))]  # fmt: skip
    figure.legend(handles=keys, loc="lower center", ncols=2, frameon=False, fontsize=10)
    figure.subplots_adjust(0.005, 0.06, 0.995, 0.88, 0.02, 0.02)
    save_small(figure, path=path, dpi=100)
    plt.close(figure)
