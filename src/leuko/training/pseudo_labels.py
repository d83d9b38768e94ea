"""What trained networks say of a scan without truth, as truth that may be doubtful."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from leuko.image.image import Image, from_canonical, to_canonical
from leuko.inference.slices import with_neighbours
from leuko.models.channels import input_channels
from leuko.models.classes import Tissue
from leuko.preparation.geometry import to_voxels
from leuko.preparation.prepare import prepare
from leuko.training.distillation import Teachers

__all__ = ["label"]

SLICES = 8  # at once
RIGHT_LEFT = 0  # the canonical axis


def label(
    scan: Image,
    teachers: Teachers,
    *,
    pixel_mm: float = 0.8,
    neighbours_mm: Sequence[float] = (1.0, 3.0),
) -> tuple[Image, Image]:
    """Probabilities of lesions, and of caps and rims, float32 on the grid of a FLAIR.

    The mean of all networks, of the scan as it is and mirrored left for right; where slices are
    sagittal, or nothing says where left is, of the scan as it is alone. UsageError where a network
    knows more neighbours than `neighbours_mm`.
    """
    prepared = prepare(
        to_canonical(scan.data, scan.grid),
        spacing=scan.grid.canonical().spacing,
        pixel_mm=pixel_mm,
        neighbours_mm=neighbours_mm,
    )
    # The first axis of a slice is the left-right axis, unless that runs along the stack.
    mirrored = scan.grid.oriented and prepared.slice_axis != RIGHT_LEFT
    stack = prepared.slices
    found = np.zeros((2, *stack.shape), dtype=np.float32)
    for first in range(0, len(stack), SLICES):
        chosen = range(first, min(first + SLICES, len(stack)))
        # The T1 is 0: networks that know it see that there is none.
        channels = input_channels(len(prepared.neighbours), t1=True)
        seen = with_neighbours(stack, chosen, distances=prepared.neighbours, channels=channels)
        found[:, chosen.start : chosen.stop] = _asked(seen, teachers, mirrored=mirrored)
    lesions, caps = (
        from_canonical(np.clip(to_voxels(one, prepared.geometry, kernel="linear"), 0, 1), scan.grid)
        for one in found
    )
    return Image(lesions, scan.grid), Image(caps, scan.grid)


def _asked(
    seen: npt.NDArray[np.float32], teachers: Teachers, *, mirrored: bool
) -> npt.NDArray[np.float32]:
    """Mean probabilities (2, n, H, W) of lesions and of caps for slices (n, C, H, W).

    `mirrored`: of the slices and of the same slices with their first axis reversed.
    """
    image = torch.from_numpy(seen)
    views: tuple[tuple[int, ...], ...] = ((), (2,)) if mirrored else ((),)
    total = torch.zeros(2, len(seen), *seen.shape[2:])
    for axes in views:
        shown = image.flip(axes).contiguous(memory_format=torch.channels_last)
        answer = teachers.probabilities(shown).flip(axes)
        total += answer[:, [Tissue.LESION, Tissue.CAP_RIM]].transpose(0, 1)
    return np.asarray((total / len(views)).numpy())
