"""Heads whose place on the template is known: the template's own tissues, moved."""

from __future__ import annotations

import numpy as np

from leuko.anatomy.template import load_template
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.registration.apply import apply_to_mask
from leuko.registration.transforms import Affine

__all__ = ["moved_head"]

Triple = tuple[float, float, float]


def moved_head(
    *,
    shape: tuple[int, int, int] = (105, 120, 24),
    spacing: Triple = (2.0, 2.0, 7.0),
    degrees: Triple = (-12.0, 5.0, -8.0),
    stretch: Triple = (0.85, 0.92, 0.88),
    shift: Triple = (6.0, -9.0, 4.0),
) -> tuple[np.ndarray, Affine]:
    """Tissues in canonical axes, and the true map from MNI mm to mm from the first voxel."""
    turned = Affine.rigid(degrees=degrees).matrix @ np.diag([*stretch, 1.0])
    middle = (np.array(shape) - 1) * spacing / 2
    turned[:3, 3] = middle + shift + turned[:3, :3] @ (0.0, 18.0, -8.0)
    truth = Affine(turned)
    template = load_template()
    labels = Image(template.tissues, template.grid)
    onto = Grid.from_spacing(shape, spacing)
    return apply_to_mask(labels, transform=truth.inverse(), onto=onto).data, truth
