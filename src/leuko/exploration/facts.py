"""What is known of one case of a data set: geometry, intensities, labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["PERCENTS", "Case", "ClassFacts", "Facts", "Intensities", "LabelFacts", "Scale"]

PERCENTS = (0.5, 5.0, 25.0, 50.0, 75.0, 95.0, 99.5)

Scale = Literal["hounsfield", "grey", "arbitrary"]
"""What a value means: Hounsfield units (CT), grey levels of an 8-bit picture, or nothing fixed."""


@dataclass(frozen=True, slots=True)
class Intensities:
    """One channel's values after the file's slope; `percentiles` are those of PERCENTS.

    `reason` says how `scale` was known. `histogram` counts values in classes of equal width
    between the first and the last percentile, what lies beyond in the outermost.
    """

    file: str
    dtype: str
    scale: Scale
    reason: str
    minimum: float
    maximum: float
    mean: float
    sd: float
    zero_share: float
    percentiles: tuple[float, ...]
    histogram: tuple[int, ...]

    @property
    def constant(self) -> bool:
        """Whether every voxel holds one value."""
        return self.minimum == self.maximum

    @property
    def median(self) -> float:
        """The 50th percentile."""
        return self.percentiles[PERCENTS.index(50.0)]


@dataclass(frozen=True, slots=True)
class ClassFacts:
    """One label value in one mask.

    `mm3` counts square pixels where no size is known; `components` are 26-connected (8 in a
    picture). `right_share` is the part that lies on the patient's right of the image's middle,
    None without orientation; `cut` says that it reaches the border of a volume.
    """

    value: int
    voxels: int
    mm3: float
    components: int
    right_share: float | None
    cut: bool


@dataclass(frozen=True, slots=True)
class LabelFacts:
    """A mask: its classes without background (0), and how it lies against its image.

    `mismatch` says how its grid differs from the image's (empty: it does not), `turned` that the
    same grid is stored in another order of axes. `percentiles` (PERCENTS) are those of the image
    within all classes; empty where there is no such voxel.
    """

    file: str
    dtype: str
    voxels: int
    classes: tuple[ClassFacts, ...]
    whole: bool
    lowest: float
    highest: float
    mismatch: str = ""
    turned: str = ""
    percentiles: tuple[float, ...] = ()
    mean: float = 0.0

    @property
    def foreground(self) -> int:
        """Voxels of any class but background."""
        return sum(found.voxels for found in self.classes)

    @property
    def background_share(self) -> float:
        """The part of all voxels that belongs to no class."""
        return 1.0 - self.foreground / self.voxels if self.voxels else 1.0

    def of(self, value: int) -> ClassFacts | None:
        """The class of that label value, None where it is not there."""
        return next((found for found in self.classes if found.value == value), None)


@dataclass(frozen=True, slots=True)
class Facts:
    """An image and its mask. `shape` and `spacing` (mm) follow the file's axes.

    `body_shape` and `body_spacing` run right, anterior, superior where the file is `oriented`; else
    they are the file's. `picture` is a single slice without orientation; lengths count pixels
    where `sized` is False. `voxels_sha256` is the hash of the values in body axes.
    """

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    body_shape: tuple[int, int, int]
    body_spacing: tuple[float, float, float]
    orientation: str
    oriented: bool
    sized: bool
    picture: bool
    channels: tuple[Intensities, ...]
    not_finite: str
    voxels_sha256: str
    label: LabelFacts | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A row of the survey: who and where from, and its facts, or why there are none."""

    name: str
    subject: str
    site: str = ""
    category: str = ""
    facts: Facts | None = None
    problem: str = ""
    hint: str = ""
