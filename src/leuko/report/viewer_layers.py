"""Layers: what lies over an image. Masks and label maps with names and colours, and maps."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["COLOURS", "HEAT", "Label", "Layer", "layer"]

Voxels = npt.NDArray[np.generic]
# Apart from each other and from grey, in this order; Okabe and Ito's hues, lightened for black.
COLOURS = ("#ff5a36", "#3db8f5", "#f2b632", "#4fd6a0", "#c58cff", "#ff8ac0", "#b6d94c", "#8fa8ff")
# (share of the range, colour): of maps of real numbers, as probabilities.
HEAT = ((0.0, "#3b0f70"), (0.35, "#b63679"), (0.65, "#fb8861"), (1.0, "#fcfdbf"))
MOST_LABELS = 1000  # distinct whole numbers beyond which a map is no map of labels
GOLDEN = 0.618033988749895


@dataclass(frozen=True, slots=True)
class Label:
    """One label: its value in the file, name, colour '#rrggbb' and how many voxels hold it."""

    value: int
    name: str
    colour: str
    voxels: int


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """An overlay on the image's grid, in shown axes.

    With `labels`, `values` counts them: 0 is nothing, n the n-th label (uint8, or int16 above 255
    labels). Without, `values` are real numbers, shown from `limits` on in HEAT.
    """

    name: str
    values: Voxels
    labels: tuple[Label, ...] = ()
    limits: tuple[float, float] = (0.0, 1.0)

    @property
    def is_map(self) -> bool:
        """Real numbers, not labels."""
        return not self.labels

    def covered(self) -> npt.NDArray[np.bool_]:
        """Where the layer shows something."""
        return np.asarray(self.values, np.float32) >= (self.limits[0] if self.is_map else 1)

    @property
    def editable(self) -> bool:
        """Whether it can be drawn on: labels that fit into a byte, in number and in value."""
        return not self.is_map and all(label.value <= 255 for label in self.labels)


def layer(
    values: Voxels,
    *,
    name: str,
    colour: str = "",
    names: Mapping[int, str] | None = None,
    colours: Mapping[int, str] | None = None,
    order: int = 0,
) -> Layer:
    """A layer of `values` (shown axes): labels where they are whole numbers, else a map.

    `colour` is the colour of a mask with one label; `names` and `colours` ('#rrggbb') are of labels
    by value; `order` is how many colours other layers have taken.
    """
    whole = _whole_numbers(values)
    if whole is None:
        return Layer(name, np.asarray(values, np.float32), limits=_limits(values))
    present, counts = np.unique(whole, return_counts=True)
    kept = [(int(v), int(n)) for v, n in zip(present, counts, strict=True) if v > 0]
    if len(kept) > MOST_LABELS or (present.size and present[0] < 0):
        return Layer(name, np.asarray(values, np.float32), limits=_limits(values))
    given, painted = names or {}, colours or {}
    alone = len(kept) <= 1
    labels = tuple(
        Label(
            value,
            given.get(value, name if alone else f"{name} {value}"),
            colour if alone and colour else painted.get(value, _colour(index + order)),
            voxels,
        )
        for index, (value, voxels) in enumerate(kept)
    )
    if not labels:  # an empty mask can still be drawn on
        labels = (Label(1, given.get(1, name), colour or _colour(order), 0),)
    dtype = np.uint8 if len(labels) <= 255 else np.int16
    ordinals = np.searchsorted([label.value for label in labels], whole) + 1
    return Layer(name, np.where(whole > 0, ordinals, 0).astype(dtype), labels)


def _whole_numbers(values: Voxels) -> npt.NDArray[np.integer] | None:
    """The values as integers where they are whole numbers of a reasonable size."""
    if values.dtype.kind == "b":
        return values.astype(np.uint8)
    if values.dtype.kind in "iu":
        return np.asarray(values)
    if values.size and (float(values.max()) > 1e6 or float(values.min()) < -1e6):
        return None
    rounded = np.rint(np.asarray(values, np.float32))
    return rounded.astype(np.int32) if np.array_equal(rounded, values) else None


def _limits(values: Voxels) -> tuple[float, float]:
    """From a twentieth to all of a probability; else of what is not zero."""
    low, high = float(values.min(initial=0)), float(values.max(initial=0))
    if low >= 0 and 0.05 < high <= 1:
        return 0.05, 1.0
    some = np.asarray(values[values != 0], np.float32)
    if not some.size:
        return 0.0, 1.0
    black, white = (float(value) for value in np.percentile(some, (2.0, 99.0)))
    return black, max(white, black + 1e-6)


def _colour(index: int) -> str:
    """The n-th colour: the palette's, then hues at the golden ratio in two lightnesses."""
    if index < len(COLOURS):
        return COLOURS[index]
    lightness = (0.62, 0.74, 0.5)[index % 3]
    parts = colorsys.hls_to_rgb((0.13 + GOLDEN * index) % 1.0, lightness, 0.75)
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)
