"""Endless augmented crops of real cases with truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from leuko.models.channels import neighbour_distances, neighbour_offsets
from leuko.models.classes import CLASS_COUNT, Tissue
from leuko.training.augmentation import (
    Pose,
    apply_intensity,
    draw_intensity,
    draw_pose,
    place,
)
from leuko.training.recipe import Augmentation

__all__ = ["Crop", "RealCase", "allowed_classes", "crops", "probable_classes", "told_apart"]

ALL = (1 << CLASS_COUNT) - 1
LESION = 1 << Tissue.LESION
CAP_RIM = 1 << Tissue.CAP_RIM
CENTRE_JITTER_PX = 24.0
NEIGHBOUR_VARIATION = (0.73, 1.4)  # of the distance of neighbours
THIN_MM = 1.8  # thinner slices are also shown as thick ones
THICKEST_MM = 6.0
THICKEN_SHARE = 0.3
MOST = 20.0  # brightest value, as in use
T1_SHIFT_PX = 0.5  # standard deviation along either axis: registration is not perfect
DOUBT = (0.2, 0.8)  # of a probability: between them truth is left open
EDGE = (0.25, 0.5)  # of a thickened voxel: between them it is left open whether it is lesion


@dataclass(frozen=True, slots=True, eq=False)
class RealCase:
    """A prepared scan with truth: all arrays (n, H, W), slices along the first axis.

    `lesion` and `cap_rim` are shares of a pixel, 0..1; `cap_rim` is None where the truth does not
    separate caps from healthy tissue, or, `with_caps`, where `lesion` holds caps and rims too.
    `left_right` is the in-plane axis (0 or 1) across the mid-sagittal plane, None where there is
    none. `probable`: they are probabilities instead of shares. `t1` is the T1 on the same pixels,
    None where there is none.
    """

    image: npt.NDArray[np.float32]
    lesion: npt.NDArray[np.float32]
    cap_rim: npt.NDArray[np.float32] | None
    slice_mm: float
    left_right: int | None
    weight: float = 1.0
    with_caps: bool = False
    probable: bool = False
    t1: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """A crop with neighbours and perhaps T1 (C, H, W), brain level 1, and its possible classes."""

    image: npt.NDArray[np.float16]
    allowed: npt.NDArray[np.int16]


def crops(
    cases: Sequence[RealCase],
    *,
    shape: tuple[int, int],
    augmentation: Augmentation,
    seed: int,
    t1_share: float | None = None,
    neighbours_mm: Sequence[float] = (3.0,),
) -> Iterator[Crop]:
    """Crops without end; a share of them is centred on a lesion pixel of a lesion slice.

    With `t1_share` they have the T1 as a last channel: shown in that share of the crops of
    cases that have one, else 0.
    """
    random = np.random.default_rng(seed)
    weights = np.array([case.weight for case in cases])
    marked = [_lesion_slices(case) for case in cases]
    shown = [np.flatnonzero((case.image > 0.3).mean(axis=(1, 2)) > 0.02) for case in cases]
    while True:
        which = int(random.choice(len(cases), p=weights / weights.sum()))
        case = cases[which]
        on_lesion = len(marked[which]) > 0 and random.random() < augmentation.lesion_share
        index = int(random.choice(marked[which] if on_lesion else shown[which]))
        centre = _centre(case, index, shape, random, on_lesion=on_lesion)
        yield _crop(case, index, centre, shape, augmentation, random, t1_share, neighbours_mm)


def allowed_classes(
    lesion: npt.NDArray[np.float32],
    cap_rim: npt.NDArray[np.float32] | None,
    *,
    edge: tuple[float, float] = (0.5, 0.5),
    with_caps: bool = False,
) -> npt.NDArray[np.int16]:
    """Bit masks of the possible classes from shares of lesion and of caps and rims.

    From edge[1] a voxel is lesion; below edge[0] it is not; between, everything is possible.
    `with_caps`: what is called lesion is lesion, cap or rim, and neither is anywhere else.
    """
    apart = cap_rim is None and not with_caps
    rest = ALL & ~LESION if apart else ALL & ~LESION & ~CAP_RIM
    allowed = np.full(lesion.shape, rest, dtype=np.int16)
    either = lesion if cap_rim is None else np.maximum(lesion, cap_rim)
    allowed[either > edge[0]] = ALL
    if cap_rim is not None:
        allowed[cap_rim > edge[1]] = CAP_RIM
    allowed[lesion > edge[1]] = LESION | CAP_RIM if with_caps else LESION
    return allowed


def probable_classes(
    lesion: npt.NDArray[np.float32], cap_rim: npt.NDArray[np.float32] | None
) -> npt.NDArray[np.int16]:
    """As `allowed_classes`, from probabilities: what is doubtful (DOUBT) stays open.

    Where lesion and cap are likely together, but neither alone, it is one of the two.
    """
    low, high = DOUBT
    allowed = np.full(lesion.shape, ALL, dtype=np.int16)
    allowed[lesion < low] &= ~LESION
    if cap_rim is not None:
        allowed[cap_rim < low] &= ~CAP_RIM
        allowed[lesion + cap_rim > high] &= LESION | CAP_RIM
        allowed[cap_rim > high] = CAP_RIM
    allowed[lesion > high] = LESION
    return allowed


def told_apart(allowed: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
    """`allowed` (B, H, W), with one class where a real scan's truth says only "no lesion".

    That class is the likeliest by `logits` (B, C, H, W), if it is likelier than the rest together
    and possible; else all stays possible.
    """
    confidence, likeliest = torch.softmax(logits, dim=1).max(dim=1)
    open_ = (allowed == ALL & ~LESION) | (allowed == ALL & ~LESION & ~CAP_RIM)
    possible = ((allowed.to(torch.int64) >> likeliest) & 1).bool()
    only = (torch.ones_like(likeliest) << likeliest).to(allowed.dtype)
    return torch.where(open_ & possible & (confidence > 0.5), only, allowed)


def _lesion_slices(case: RealCase) -> npt.NDArray[np.intp]:
    """Slices with lesion, or with caps and rims."""
    truth = case.lesion if case.cap_rim is None else np.maximum(case.lesion, case.cap_rim)
    return np.flatnonzero((truth > 0.5).any(axis=(1, 2)))


def _centre(
    case: RealCase,
    index: int,
    shape: tuple[int, int],
    random: np.random.Generator,
    *,
    on_lesion: bool,
) -> tuple[float, float]:
    """The pixel a crop is centred on: near a lesion, or somewhere over the head."""
    if on_lesion:
        truth = case.lesion[index]
        if case.cap_rim is not None:
            truth = np.maximum(truth, case.cap_rim[index])
        pixels = np.argwhere(truth > 0.5)
        base = pixels[random.integers(len(pixels))].astype(float)
        spread = np.array(shape) / 3.0
        # A lesion need not be in the middle, and a crop should show the head, not the air.
        lowest, highest = base - spread, base + spread
        middle = (np.array(case.image.shape[1:]) - 1) / 2
        base = np.clip(middle + random.uniform(-1, 1, 2) * CENTRE_JITTER_PX, lowest, highest)
        return float(base[0]), float(base[1])
    middle = (np.array(case.image.shape[1:]) - 1) / 2
    slack = np.maximum(0.0, (np.array(case.image.shape[1:]) - shape) / 2) + CENTRE_JITTER_PX
    base = middle + random.uniform(-1.0, 1.0, 2) * np.minimum(slack, 60.0)
    return float(base[0]), float(base[1])


def _crop(
    case: RealCase,
    index: int,
    centre: tuple[float, float],
    shape: tuple[int, int],
    augmentation: Augmentation,
    random: np.random.Generator,
    t1_share: float | None,
    neighbours_mm: Sequence[float],
) -> Crop:
    """One augmented crop around `centre` of slice `index`."""
    thickness = 1
    if case.slice_mm < THIN_MM and random.random() < THICKEN_SHARE:
        most = max(2, round(THICKEST_MM / case.slice_mm))
        thickness = int(random.integers(2, most + 1))
    spacing = case.slice_mm * thickness
    factor = random.uniform(*NEIGHBOUR_VARIATION)
    steps = neighbour_distances(spacing, neighbours_mm=[factor * mm for mm in neighbours_mm])
    image = np.stack(
        [
            _slab(case.image, index + shift * thickness, thickness)
            for shift in neighbour_offsets(steps)
        ]
    )
    truth = [_slab(case.lesion, index, thickness)]
    if case.cap_rim is not None:
        truth.append(_slab(case.cap_rim, index, thickness))
    pose = draw_pose(random, augmentation, centre=centre, left_right=case.left_right)
    change = draw_intensity(random, augmentation)
    # Cubic, as in preparation: linear would blur real crops against scans in use.
    placed = place(torch.from_numpy(image), pose, shape=shape, kernel="bicubic")
    placed = apply_intensity(placed, change)
    if t1_share is not None:
        slab = None
        if case.t1 is not None and random.random() < t1_share:
            slab = _slab(case.t1, index, thickness)
        placed = torch.cat((placed, _t1(slab, pose, shape, augmentation, random)))
    shares = place(torch.from_numpy(np.stack(truth)), pose, shape=shape, kernel="bilinear").numpy()
    lesion, cap_rim = shares[0], None if case.cap_rim is None else shares[1]
    if case.probable:
        allowed = probable_classes(lesion, cap_rim)
    else:
        edge = (0.5, 0.5) if thickness == 1 else EDGE
        allowed = allowed_classes(lesion, cap_rim, edge=edge, with_caps=case.with_caps)
    return Crop(placed.clamp(max=MOST).to(torch.float16).numpy(), allowed)


def _t1(
    slab: npt.NDArray[np.float32] | None,
    pose: Pose,
    shape: tuple[int, int],
    augmentation: Augmentation,
    random: np.random.Generator,
) -> torch.Tensor:
    """The channel (1, *shape) of a T1 slice: in the crop's pose, intensities of its own; or 0."""
    if slab is None:
        return torch.zeros((1, *shape))
    row, column = random.normal(0.0, T1_SHIFT_PX, 2)
    pose = replace(pose, centre=(pose.centre[0] + row, pose.centre[1] + column))
    placed = place(torch.from_numpy(slab[None]), pose, shape=shape, kernel="bicubic")
    return apply_intensity(placed, draw_intensity(random, augmentation))


def _slab(stack: npt.NDArray[np.float32], centre: int, thickness: int) -> npt.NDArray[np.float32]:
    """The mean of `thickness` slices around `centre`; the stack's ends repeat."""
    first = centre - (thickness - 1) // 2
    indices = np.clip(np.arange(first, first + thickness), 0, len(stack) - 1)
    return np.asarray(stack[indices].mean(axis=0, dtype=np.float32))
