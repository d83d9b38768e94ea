"""How a head lies on the template, and how large its lesions would be there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leuko.anatomy.template import SPACE
from leuko.anatomy.template_landing import Placement

__all__ = ["TemplateNumbers"]


@dataclass(frozen=True, slots=True)
class TemplateNumbers:
    """Overlaps (Dice, 0..1) of a landed head with the template, and the volume by its size.

    `volume_ml` is what the mask would measure in a head as large as the template: cohorts that
    were measured in MNI space give such volumes.
    """

    space: str
    brain_overlap: float
    white_matter_overlap: float
    ventricles_overlap: float
    head_scale: float  # volume of the head to that of the template
    volume_ml: float

    @classmethod
    def of(cls, placement: Placement, *, volume_ml: float) -> TemplateNumbers:
        """From a placement and the mask's own volume."""
        scale = float(abs(np.linalg.det(placement.from_template.matrix[:3, :3])))
        return cls(
            space=SPACE,
            brain_overlap=placement.brain,
            white_matter_overlap=placement.white_matter,
            ventricles_overlap=placement.ventricles,
            head_scale=scale,
            volume_ml=volume_ml / scale,
        )
