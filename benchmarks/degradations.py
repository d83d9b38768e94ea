"""The list of degradations that robustness.py tries, by family and strength."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

import degrade
from leuko.image.image import Image
from leuko.preparation.intensity import brain_level

__all__ = ["FIGURE", "Degradation", "Subject", "copies", "degradations"]

Change = Callable[[Image], Image]
THIN_MM = 2.5  # thicker slices cannot be resampled across without becoming another scan
SEED = 20261121

# Families drawn against their strength, and the name of the strength.
FIGURE = {
    "slices": "slice distance, mm",
    "pixels": "pixel, mm",
    "noise": "brain over noise (SNR)",
    "bias": "bias, ln of the largest gain",
    "sudden motion": "jerk, mm and degrees",
    "slow motion": "drift, mm and degrees",
    "ghost": "ghost, share of the signal",
}


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """What decides which degradations make sense for a scan; canonical axes.

    `brain` is the network's own on the scan as it is; `stripped`: it came without a skull.
    """

    flair: Image
    brain: npt.NDArray[np.bool_]
    stripped: bool

    @property
    def slice_mm(self) -> float:
        """Distance of slices in mm."""
        return self.flair.grid.spacing[2]


@dataclass(frozen=True, slots=True, eq=False)
class Degradation:
    """One way to scan the same head: what happens to the scan, and to a mask of it.

    `mask` is None where the voxels stay where they are. `exact`: the mask must follow to the
    voxel. `back`: the mask may be brought back to the scan's own grid to be scored there.
    """

    family: str
    label: str
    strength: float
    scan: Change
    mask: Change | None = None
    exact: bool = False
    back: bool = False

    def of_mask(self, mask: Image) -> Image:
        """A mask (0 and 1) on the grid of the degraded scan, as shares of a voxel."""
        return self.mask(mask) if self.mask else mask


def degradations(subject: Subject) -> Iterator[Degradation]:
    """Everything that makes sense for a scan."""
    yield from _resolution(subject)
    yield from _signal()
    yield from _poses(subject)
    yield from _coverage(subject)
    yield from _files()


def copies(subject: Subject) -> Iterator[Degradation]:
    """The same head scanned again: what must hardly change its volume."""
    for x, y in ((0.5, 0.3), (-0.3, 0.5)):
        shift = (x, y, 0.5 if subject.slice_mm <= THIN_MM else 0.0)
        yield _both("copy", f"shifted {x:g}, {y:g}", 0, degrade.shifted, voxels=shift)
    for degrees in (-3.0, 3.0):
        yield _both("copy", f"turned {degrees:g}", 0, degrade.rotated, degrees=degrees, axis=2)
    if subject.slice_mm <= THIN_MM:
        yield _both("copy", "nodded 3", 0, degrade.rotated, degrees=3.0, axis=0)
    yield _pixels("copy", round(0.9 * subject.flair.grid.spacing[0], 2))
    for seed in (1, 2):
        yield Degradation("copy", "noise", 0, partial(degrade.noised, snr=30.0, seed=seed))


def _resolution(subject: Subject) -> Iterator[Degradation]:
    for mm in (2.0, 3.0, 4.0, 5.0, 6.0, 8.0):
        if mm > subject.slice_mm + 0.5 and subject.slice_mm <= THIN_MM:
            yield _moved("slices", f"{mm:g} mm", mm, degrade.slices_of, spacing_mm=mm)
    for mm in (5.0, 8.0):
        if subject.slice_mm <= THIN_MM:
            yield _moved("slices with gaps", f"{mm:g} mm, a third not seen", mm,
                         degrade.slices_of, spacing_mm=mm, gap=1 / 3)  # fmt: skip
    for mm in (0.5, 0.7, 1.0, 1.5, 2.0):
        if abs(mm - subject.flair.grid.spacing[0]) > 0.15:
            yield _pixels("pixels", mm)
    yield Degradation(
        "zero-filled", "2 x", 2, degrade.zero_filled,
        lambda mask: degrade.on_grid(mask, degrade.zero_filled_grid(mask.grid), order=1),
        back=True,
    )  # fmt: skip


def _pixels(family: str, mm: float) -> Degradation:
    made = partial(degrade.pixels_of, pixel_mm=mm)
    mask = partial(made, kernel="linear")
    return Degradation(family, f"{mm:g} mm", mm, made, mask, back=True)


def _signal() -> Iterator[Degradation]:
    for snr in (40.0, 20.0, 10.0):
        yield Degradation("noise", f"SNR {snr:g}", snr, partial(degrade.noised, snr=snr, seed=SEED))
    for strength in (0.15, 0.3, 0.6):
        made = partial(degrade.biased, strength=strength, seed=SEED)
        yield Degradation("bias", f"{np.exp(strength):.2f} x", strength, made)
    for amount in (0.5, 1.0, 2.0):
        made = partial(degrade.moved_suddenly, amount=amount)
        yield Degradation("sudden motion", f"{amount:g} mm", amount, made)
    for amount in (0.5, 1.0, 2.0):
        made = partial(degrade.moved_slowly, amount=amount)
        yield Degradation("slow motion", f"{amount:g} mm", amount, made)
    for share in (0.03, 0.06, 0.12):
        made = partial(degrade.ghosted, share=share)
        yield Degradation("ghost", f"{share:.0%}", share, made)


def _poses(subject: Subject) -> Iterator[Degradation]:
    thin = subject.slice_mm <= THIN_MM
    for axis, name in ((0, "nodding"), (1, "tilting"), (2, "turning")):
        if thin or axis == 2:
            yield _both("rotation", f"20 degrees, {name}", 20, degrade.rotated,
                        degrees=20.0, axis=axis)  # fmt: skip
    if thin:
        yield Degradation("oblique", "5 mm slices, 20 degrees", 5, partial(_oblique, order=3),
                          partial(_oblique, order=1), back=True)  # fmt: skip
    half = (0.5, 0.5, 0.5 if thin else 0.0)
    yield _both("shift", "half a voxel", 0.5, degrade.shifted, voxels=half)
    yield Degradation("mirrored head", "", 1, degrade.mirrored, degrade.mirrored)


def _oblique(image: Image, *, order: degrade.Order) -> Image:
    return degrade.slices_of(
        degrade.rotated(image, degrees=20.0, axis=0, order=order), spacing_mm=5.0
    )


def _coverage(subject: Subject) -> Iterator[Degradation]:
    data = np.asarray(subject.flair.data, dtype=np.float32)
    head = data > 0.35 * brain_level(data)
    filled = np.flatnonzero(head.mean(axis=(0, 1)) > 0.004)
    low, high = int(filled[0]), int(filled[-1]) + 1
    third = (high - low) // 3
    count = subject.flair.grid.shape[2]
    for name, first, last in (("top", 0, high - third), ("bottom", low + third, count)):
        yield _moved("coverage", f"{name} third missing", 1 / 3, degrade.kept_slices,
                     back=False, first=first, last=last)  # fmt: skip
    inside = np.flatnonzero(subject.brain.any(axis=(0, 1)))
    lost = tuple(int(inside[round(share * (inside.size - 1))]) for share in (0.5, 0.65))
    yield _moved("coverage", "two slices empty", 2, degrade.emptied, back=False, slices=lost)
    if not subject.stripped:
        yield Degradation("extracted", "the network's own brain", 1,
                          partial(degrade.extracted, brain=subject.brain))  # fmt: skip


def _files() -> Iterator[Degradation]:
    for axis, name in enumerate(("x", "y", "z")):
        flip = partial(degrade.flipped, axis=axis)
        yield Degradation("stored", f"{name} reversed", 1, flip, flip, exact=True)
    for axes in ((2, 0, 1), (1, 0, 2)):
        turn = partial(degrade.permuted, axes=axes)
        yield Degradation("stored", f"axes {axes}", 1, turn, turn, exact=True)
    for factor in (0.0137, 64.0):
        change = partial(degrade.scaled, factor=factor)
        yield Degradation("scale", f"x {factor:g}", factor, change)
    yield Degradation("offset", "+ 20 % of the brain", 0.2,
                      partial(degrade.scaled, factor=1.0, offset=0.2))  # fmt: skip
    for levels in (4096, 256, 64):
        change = partial(degrade.rounded, levels=levels)
        yield Degradation("rounding", f"{levels} levels", levels, change)


def _moved(
    family: str,
    label: str,
    strength: float,
    change: Callable[..., Image],
    *,
    back: bool = True,
    **settings: object,
) -> Degradation:
    """A change that treats a scan and its masks alike."""
    made = partial(change, **settings)
    return Degradation(family, label, strength, made, made, back=back)


def _both(
    family: str, label: str, strength: float, change: Callable[..., Image], **settings: object
) -> Degradation:
    """A resampling: cubic for the scan, linear for its masks."""
    return Degradation(
        family, label, strength, partial(change, **settings),
        partial(change, **settings, order=1), back=True,
    )  # fmt: skip
