"""Windows: which values are black and white. Presets in HU for CT, percentiles for all else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from leuko.errors import UsageError
from leuko.image.image import Image
from leuko.report.planes import Scan, Window

__all__ = ["HOUNSFIELD", "Preset", "is_hounsfield", "presets", "window_of"]

Voxels = npt.NDArray[np.generic]

# Name -> (label, centre, width) in HU: the usual settings of textbooks and workstations.
HOUNSFIELD = MappingProxyType(
    {
        "soft-tissue": ("Soft tissue", 50.0, 400.0),
        "brain": ("Brain", 40.0, 80.0),
        "subdural": ("Subdural", 75.0, 215.0),
        "stroke": ("Stroke", 40.0, 40.0),
        "bone": ("Bone", 400.0, 1800.0),
        "temporal-bone": ("Temporal bone", 600.0, 2800.0),
        "lung": ("Lung", -600.0, 1500.0),
        "mediastinum": ("Mediastinum", 50.0, 350.0),
        "abdomen": ("Abdomen", 50.0, 400.0),
        "liver": ("Liver", 30.0, 150.0),
        "spine": ("Spine", 50.0, 250.0),
        "angiography": ("Angiography", 170.0, 600.0),
    }
)
PERCENTILES = ((1.0, 99.0), (0.1, 99.9), (5.0, 95.0), (50.0, 99.9))
AIR = (-1100.0, -850.0)  # HU of air, and nothing that a magnetic resonance image holds in plenty
AIR_SHARE = 0.02
SAMPLE = 500_000  # values that percentiles are taken from
PERCENT = re.compile(r"p(?P<low>\d+(\.\d+)?)\s*[,-]\s*p(?P<high>\d+(\.\d+)?)", re.IGNORECASE)
NUMBERS = re.compile(r"(?P<centre>[-+]?\d+(\.\d*)?)\s*,\s*(?P<width>\d+(\.\d*)?)")


@dataclass(frozen=True, slots=True)
class Preset:
    """A window that can be chosen: its key on the command line, how it reads, its values."""

    key: str
    label: str
    window: Window


def is_hounsfield(data: Voxels) -> bool:
    """Whether the values look like a CT's: plenty of air, and tissue or bone above water."""
    values = _sample(data)
    if not values.size or values.min() < -10_000:
        return False
    air = np.count_nonzero((values >= AIR[0]) & (values <= AIR[1])) / values.size
    return bool(air > AIR_SHARE and values.max() > 30 and np.median(values) < 300)


def presets(image: Image, *, hounsfield: bool) -> tuple[Preset, ...]:
    """What suits the image, the best first."""
    values = _sample(image.data)
    full = Preset("full", "Full range", _wide(float(values.min()), float(values.max())))
    shares = [_percentiles(values, low, high) for low, high in PERCENTILES]
    if hounsfield:
        named = [
            Preset(key, label, Window(centre - width / 2, centre + width / 2))
            for key, (label, centre, width) in HOUNSFIELD.items()
        ]
        return (*named, full, shares[0])
    return (Preset("auto", "Automatic", _automatic(image, values)), *shares, full)


def window_of(text: str, *, data: Voxels, presets: Sequence[Preset]) -> Window:
    """The window that `text` names: a preset, 'centre,width' or percentiles, 'p1,p99'.

    Raises UsageError (exit 2) where it is none of these.
    """
    key = text.strip().lower()
    for preset in presets:
        if preset.key == key:
            return preset.window
    if key in HOUNSFIELD:
        _, centre, width = HOUNSFIELD[key]
        return Window(centre - width / 2, centre + width / 2)
    if match := PERCENT.fullmatch(key):
        low, high = float(match["low"]), float(match["high"])
        if low < high <= 100:
            return _percentiles(_sample(data), low, high).window
    if match := NUMBERS.fullmatch(key):
        centre, width = float(match["centre"]), float(match["width"])
        if width > 0:
            return Window(centre - width / 2, centre + width / 2)
    known = ", ".join(dict.fromkeys([*(preset.key for preset in presets), *HOUNSFIELD]))
    raise UsageError(
        f"'{text}' is no window.",
        hint=f"Give centre,width (as 40,80), percentiles (as p1,p99), or one of: {known}.",
    )


def _automatic(image: Image, values: npt.NDArray[np.float32]) -> Window:
    """All grey levels of an 8-bit picture; of a scan what is inside the head or body."""
    if image.grid.shape[2] == 1 and image.data.dtype == np.uint8:
        return Window(0.0, 255.0)
    volume = image.volume(0)
    nothing = np.broadcast_to(np.uint8(0), volume.grid.shape)
    found = Scan.of(
        volume.data, labels=nothing, classes=np.zeros(1, np.uint8), brain=None, grid=volume.grid
    ).window
    inside = float(values.min()) <= found.low < found.high
    return found if inside else _percentiles(values, 1.0, 99.0).window


def _percentiles(values: npt.NDArray[np.float32], low: float, high: float) -> Preset:
    black, white = (float(value) for value in np.percentile(values, (low, high)))
    return Preset(f"p{low:g},p{high:g}", f"Percentiles {low:g}–{high:g}", _wide(black, white))


def _wide(low: float, high: float) -> Window:
    """A window of some width, however equal the values are."""
    return Window(low, high if high > low else low + max(1.0, abs(low) * 1e-6))


def _sample(data: Voxels) -> npt.NDArray[np.float32]:
    """Every n-th value, so that big images cost no more than small ones."""
    step = max(1, round((data.size / SAMPLE) ** (1 / 3)))
    steps = tuple(slice(None, None, step if length >= 4 * step else 1) for length in data.shape[:3])
    values = data[steps]
    if values.ndim == 4 and values.shape[3] > 8:
        values = values[..., :: values.shape[3] // 8]
    return np.asarray(values, dtype=np.float32).ravel()
