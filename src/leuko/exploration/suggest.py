"""What a data set suggests for training: one documented rule for every number of a first recipe.

A starting point, not an optimum: the same cases always give the same suggestion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from leuko.errors import UnusableInput
from leuko.exploration.facts import PERCENTS, Case, Facts

__all__ = ["ORDER", "Suggestion", "class_values", "suggestion"]

Axis = Literal["axial", "coronal", "sagittal"]
How = Literal["zscore", "unit", "percentile", "window", "none"]

# Body axes (right, anterior, superior) in the order slices, rows, columns.
ORDER: Mapping[Axis, tuple[int, int, int]] = {
    "axial": (2, 1, 0),
    "coronal": (1, 2, 0),
    "sagittal": (0, 2, 1),
}
ACROSS: tuple[Axis, Axis, Axis] = ("sagittal", "coronal", "axial")
NAMES = ("right", "anterior", "superior")
ALIKE = 0.05  # spacings that differ by less stay as they are
ANISOTROPIC = 3.0  # largest over smallest spacing, from which slices are taken one by one
FEWEST_SLICES = 8  # fewer are no volume
MOST_VOXELS = 96**3  # that a 3D network takes at once
LARGEST_EDGE = 256  # of a slice
LEVELS = {2: 16, 3: 8}  # a network halves four times in 2D, three times in 3D
RARE = 0.005  # share of the foreground below which the loss has to be told
SOFT_TISSUE = (-160.0, 240.0)  # HU: centre 40, width 400
HU_STEP = 10.0


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A first plan. `spacing` is right, anterior, superior in mm, None: as the files have it.

    `size` is (H, W) for 2 dims and (S, H, W) for 3; `window` is in HU. `classes` are names in the
    order of a network's outputs, background first, and `values` the label values they have in the
    masks. `reasons` are sentences, in the order of the fields.
    """

    task: Literal["segmentation", "classification"]
    dims: Literal[2, 3]
    axis: Axis
    spacing: tuple[float, float, float] | None
    size: tuple[int, ...]
    intensity: How
    window: tuple[float, float] | None
    loss: str
    classes: tuple[str, ...]
    values: tuple[int, ...]
    reasons: tuple[str, ...]


def suggestion(cases: Sequence[Case], *, names: Mapping[int, str] | None = None) -> Suggestion:
    """The plan that the cases suggest; `names` are those of label values.

    Cases that could not be read do not count. Raises UnusableInput (exit 4) where none could.
    """
    facts = [case.facts for case in cases if case.facts is not None]
    if not facts:
        raise UnusableInput(
            "No case of the data set can be read.", hint="leuko eda says why for each."
        )
    categories = sorted({case.category for case in cases if case.category})
    masks = any(found.label is not None for found in facts)
    dims, axis, why_dims = _dims(facts)
    spacing, why_spacing = _spacing(facts, dims=dims, axis=axis)
    size, why_size = _size(facts, dims=dims, axis=axis, spacing=spacing)
    intensity, window, why_intensity = _intensity(facts)
    values: tuple[int, ...] = ()
    if categories and not masks:
        loss, why_loss = "cross-entropy", "Whole images have classes: cross-entropy."
        classes = tuple(categories)
    else:
        values = (0, *(value for value in class_values(facts) if value))
        classes = ("background", *((names or {}).get(v, f"class {v}") for v in values[1:]))
        loss, why_loss = _loss(facts)
    return Suggestion(
        task="classification" if categories and not masks else "segmentation",
        dims=dims,
        axis=axis,
        spacing=spacing,
        size=size,
        intensity=intensity,
        window=window,
        loss=loss,
        classes=classes,
        values=values,
        reasons=(why_dims, why_spacing, why_size, why_intensity, why_loss),
    )


def class_values(facts: Sequence[Facts]) -> tuple[int, ...]:
    """Every label value of any mask, background (0) left out, rising."""
    held = {
        found.value
        for case in facts
        if case.label is not None
        for found in case.label.classes
    }  # fmt: skip
    return tuple(sorted(held))


def _median(values: Sequence[tuple[float, float, float]]) -> tuple[float, float, float]:
    first, second, third = (median(column) for column in zip(*values, strict=True))
    return first, second, third


def _dims(facts: Sequence[Facts]) -> tuple[Literal[2, 3], Axis, str]:
    """Two or three dimensions, and which slices."""
    if median(found.picture for found in facts):
        return 2, "axial", "Pictures: 2D."
    spacing = _median([found.body_spacing for found in facts])
    shape = _median([_floats(found.body_shape) for found in facts])
    thickest = max(range(3), key=lambda world: spacing[world])
    ratio = spacing[thickest] / min(spacing)
    across = ACROSS[thickest] if ratio > 1 + ALIKE else "axial"
    if ratio >= ANISOTROPIC:
        return 2, across, (
            f"2D, {across} slices: they lie {ratio:.1f} times as far apart as pixels in them "
            f"(from {ANISOTROPIC:g} times, a slice says little about the next)."
        )  # fmt: skip
    if min(shape) < FEWEST_SLICES:
        fewest = ACROSS[shape.index(min(shape))]
        return 2, fewest, f"2D, {fewest} slices: there are only {min(shape):g} of them."
    voxels = shape[0] * shape[1] * shape[2]
    if voxels <= MOST_VOXELS:
        return 3, "axial", (
            f"3D: voxels are nearly cubes (largest over smallest edge {ratio:.1f}) and the whole "
            "volume fits into one patch."
        )  # fmt: skip
    return 2, across, (
        f"2D, {across} slices: voxels are nearly cubes, but a volume of {voxels / 1e6:.1f} million "
        "is more than a 3D network takes at once; 3D with patches is the slower alternative."
    )  # fmt: skip


def _spacing(
    facts: Sequence[Facts], *, dims: int, axis: Axis
) -> tuple[tuple[float, float, float] | None, str]:
    """The median spacing, or None where cases agree, or nothing is known."""
    sized = [found.body_spacing for found in facts if found.sized and not found.picture]
    if not sized:
        return None, "Pixels have no size in mm: images are taken as they are."
    middle = _median(sized)
    counted = ORDER[axis][1:] if dims == 2 else (0, 1, 2)  # 2D: slices are not resampled across
    apart = max(
        max(abs(spacing[world] / middle[world] - 1) for world in counted) for spacing in sized
    )
    where = "in the slice " if dims == 2 else ""
    if apart <= ALIKE:
        return None, (
            f"Spacing as it is: {where}all cases agree within {100 * ALIKE:.0f} %, so nothing "
            "needs resampling."
        )
    rounded = tuple(round(value, 3) for value in middle)
    text = " x ".join(f"{value:g}" for value in rounded)
    return (rounded[0], rounded[1], rounded[2]), (
        f"Spacing {text} mm (right, anterior, superior): the median; cases differ {where}by up to "
        f"{100 * apart:.0f} %, and a network sees voxels, not mm."
    )


def _size(
    facts: Sequence[Facts], *, dims: int, axis: Axis, spacing: tuple[float, float, float] | None
) -> tuple[tuple[int, ...], str]:
    """The median extent in voxels at that spacing, rounded up to what a network can halve."""
    multiple = LEVELS[dims]
    edges: list[float] = []
    if median(found.picture for found in facts):
        edges = [median(found.shape[world] for found in facts) for world in (1, 0)]
    else:
        for world in ORDER[axis][1:] if dims == 2 else ORDER["axial"]:
            ratio = [
                found.body_shape[world]
                * (found.body_spacing[world] / spacing[world] if spacing else 1.0)
                for found in facts
            ]
            edges.append(median(ratio))
    size = [max(multiple, -(-round(edge) // multiple) * multiple) for edge in edges]
    full = list(size)
    if dims == 2:
        size = [min(edge, LARGEST_EDGE) for edge in size]
    while dims == 3 and size[0] * size[1] * size[2] > MOST_VOXELS:
        size[size.index(max(size))] -= multiple
    text = " x ".join(map(str, size))
    what = "the median image" if size == full else "as much of the median image as fits"
    return tuple(size), (
        f"Patch {text} voxels: {what} ({' x '.join(f'{edge:.0f}' for edge in edges)}), each edge "
        f"a multiple of {multiple}."
    )


def _intensity(facts: Sequence[Facts]) -> tuple[How, tuple[float, float] | None, str]:
    """How values are scaled; of CT the window that holds nearly all of the foreground."""
    scales = [found.channels[0].scale for found in facts]
    common = max(sorted(set(scales)), key=scales.count)
    if common == "grey":
        return "unit", None, "Grey levels of pictures: 0 to 1."
    if common == "arbitrary":
        return "zscore", None, (
            "Values have no fixed unit (magnetic resonance): mean 0 and standard deviation 1 in "
            "each image."
        )  # fmt: skip
    inside = [
        found.label.percentiles
        for found in facts
        if found.label is not None
        and found.label.percentiles
        and found.channels[0].scale == "hounsfield"
    ]
    if not inside:
        window = SOFT_TISSUE
        return "window", window, "Hounsfield units without masks: the soft-tissue window."
    low = median(cuts[0] for cuts in inside)
    high = median(cuts[len(PERCENTS) - 1] for cuts in inside)
    window = (HU_STEP * (low // HU_STEP), HU_STEP * -(-high // HU_STEP))
    if window[1] <= window[0]:
        window = (window[0], window[0] + HU_STEP)
    return "window", window, (
        f"Hounsfield units: {window[0]:.0f} to {window[1]:.0f} HU become 0 to 1, the "
        f"{PERCENTS[0]:g}th to {PERCENTS[-1]:g}th percentile within the masks (median over cases)."
    )  # fmt: skip


def _loss(facts: Sequence[Facts]) -> tuple[str, str]:
    """Dice with cross-entropy; where the foreground is rare, with classes that weigh alike."""
    shares = [1 - found.label.background_share for found in facts if found.label is not None]
    if not shares:
        return "dice-ce", "No masks: nothing is known of the balance of classes."
    share = sum(shares) / len(shares)
    if share < RARE:
        return "balanced-dice-ce", (
            f"Foreground is {_percent(share)} of the voxels: Dice with class-balanced "
            "cross-entropy, in which the rare class weighs as much as the background."
        )
    return "dice-ce", (
        f"Foreground is {_percent(share)} of the voxels: Dice (which the background cannot drown) "
        "with cross-entropy (whose gradients are even)."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %"


def _floats(shape: tuple[int, int, int]) -> tuple[float, float, float]:
    return float(shape[0]), float(shape[1]), float(shape[2])
