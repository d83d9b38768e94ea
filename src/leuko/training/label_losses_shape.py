"""Losses on integer labels that look at shapes: distance to the boundary, and single lesions.

Called as in `leuko.training.label_losses`. What they need of the labels, signed distances and
connected components, is computed on the processor in every step (scipy).
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from torch import Tensor

from leuko.errors import UsageError
from leuko.training.label_losses import Magnitude, check, needs_space
from leuko.training.label_losses_overlap import Above, Dice

__all__ = ["BlobDice", "Boundary", "blobs", "signed_distance"]

Bool = npt.NDArray[np.bool_]


class Boundary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Mean of (p - g) times the signed distance to g's boundary, mean over classes but background.

    Kervadec et al. 2019, shifted by a constant so that the right answer costs 0. Probability far
    from the reference costs most; a class that is absent from a sample costs nothing, so that it
    belongs into a sum with a loss of overlap. `spacing`: size of a voxel along each axis.
    """

    spacing: tuple[Above, ...] | None = None

    def __call__(self, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """See the modules."""
        labels = check(logits, labels)
        needs_space(labels, "boundary")
        if self.spacing is not None and len(self.spacing) != labels.ndim - 1:
            raise UsageError(
                f"boundary: {len(self.spacing)} spacings for {labels.ndim - 1} axes.",
                hint="Give one per axis.",
            )
        classes = range(1, logits.shape[1])
        drawn = labels.cpu().numpy()
        distance = torch.from_numpy(
            np.stack(
                [
                    [signed_distance(sample == c, spacing=self.spacing) for c in classes]
                    for sample in drawn
                ]
            )
        ).to(logits.device)
        truth = torch.stack([labels == c for c in classes], dim=1)
        known = (labels >= 0).unsqueeze(1)
        wrong = (torch.softmax(logits, dim=1)[:, 1:] - truth.float()) * known
        value = (wrong * distance).mean()
        return {"loss": value, "boundary": value.detach()}


class BlobDice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`whole` parts of Dice over all, `blobs` parts of the mean Dice of every connected component.

    Kofler et al. 2022: a component is judged on all voxels but those of the class's other
    components, so that a small lesion counts as much as a large one. Components touch at corners
    too; their mean is over all of the batch, then over the classes that have any.
    """

    whole: Magnitude = 2.0
    blobs: Magnitude = 1.0
    smooth: Above = 1.0
    batch: bool = False

    def __call__(self, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """See the modules."""
        labels = check(logits, labels)
        needs_space(labels, "blob-dice")
        parts = Dice(smooth=self.smooth, batch=self.batch)(logits, labels)
        whole = parts.pop("loss")
        p = torch.softmax(logits, dim=1) * (labels >= 0).unsqueeze(1)
        means = [
            torch.cat(dice).mean()
            for c in range(1, logits.shape[1])
            if (dice := self._of_class(p[:, c], labels == c))
        ]
        if means:
            each = 1.0 - torch.stack(means).mean()
            total = self.whole + self.blobs
            whole = (self.whole * whole + self.blobs * each) / max(total, 1e-6)
            parts["blob_dice"] = 1.0 - each.detach()
        return {"loss": whole, **parts}

    def _of_class(self, p: Tensor, truth: Tensor) -> list[Tensor]:
        """The Dice of every component, a tensor for each sample that has some."""
        found = []
        for probability, inside in zip(p, truth, strict=True):
            numbers, count = blobs(inside.cpu().numpy())
            if count:
                where = torch.from_numpy(numbers).to(p.device).flatten()
                mass = p.new_zeros(count + 1).index_add(0, where, probability.flatten())
                size = torch.bincount(where, minlength=count + 1).to(p.dtype)[1:]
                # Entry 0 is what lies outside all components: excess for every one of them.
                hit, excess = mass[1:], mass[0]
                found.append((2.0 * hit + self.smooth) / (hit + excess + size + self.smooth))
        return found


def signed_distance(
    inside: Bool, *, spacing: tuple[float, ...] | None = None
) -> npt.NDArray[np.float32]:
    """Distance of voxel centres to the boundary, below 0 inside, in voxels or as `spacing`.

    The boundary lies half a voxel (of the finest axis) from the voxels beside it. Zeros where all
    or nothing is inside.
    """
    if not inside.any() or inside.all():
        return np.zeros(inside.shape, dtype=np.float32)
    half = 0.5 * min(spacing or (1.0,))
    outer = ndimage.distance_transform_edt(~inside, sampling=spacing)
    inner = ndimage.distance_transform_edt(inside, sampling=spacing)
    signed = np.where(inside, half - inner, outer - half)
    return np.asarray(signed, dtype=np.float32)


def blobs(inside: Bool) -> tuple[npt.NDArray[np.int64], int]:
    """The number of every voxel's component, 0 outside, and how many there are."""
    touching: Any = ndimage.generate_binary_structure(inside.ndim, inside.ndim)
    numbers, count = ndimage.label(inside, structure=touching)
    return np.asarray(numbers, dtype=np.int64), int(count)
