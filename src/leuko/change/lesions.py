"""A lesion over two visits, as it is written down."""

from __future__ import annotations

from dataclasses import dataclass

from leuko.change.classes import ChangeClass

__all__ = ["ChangedLesion"]


@dataclass(frozen=True, slots=True)
class ChangedLesion:
    """A lesion over two visits; volumes in mm3, place at the follow-up.

    baseline_mm3, followup_mm3: on the half-way grid. What either mask holds belongs to both visits
        where the scans do not differ, so these two differ by growth less regression alone.
    baseline_mask_mm3, followup_mask_mm3: what each visit's own mask holds of it, on its own grid;
        over all lesions their sums are the volumes of the masks.
    """

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
    baseline_mask_mm3: float
    followup_mask_mm3: float

    @property
    def change_mm3(self) -> float:
        """Growth less regression."""
        return self.followup_mm3 - self.baseline_mm3
