"""A lesion over two visits, as it is written down."""

from __future__ import annotations

from dataclasses import dataclass

from leuko.change.classes import ChangeClass

__all__ = ["ChangedLesion"]


@dataclass(frozen=True, slots=True)
class ChangedLesion:
    """A lesion over two visits; volumes on the half-way grid (mm3), place at the follow-up."""

    number: int  # from 1, the largest first
    kind: ChangeClass
    baseline_labels: tuple[int, ...]  # its lesions in the baseline's lesions.nii.gz
    followup_labels: tuple[int, ...]
    baseline_mm3: float
    followup_mm3: float
    growth_mm3: float
    regression_mm3: float
    limit_mm3: float  # what repeated scans differ by
    brightness_change: float  # 1 = what sets lesions apart from white matter
    centre_mm: tuple[float, float, float]  # RAS mm of the follow-up
    side: str
    region: str

    @property
    def change_mm3(self) -> float:
        """Growth less regression."""
        return self.followup_mm3 - self.baseline_mm3
