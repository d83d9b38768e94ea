"""The template: the MNI's average brain (ICBM 152, nonlinear, symmetric, 2009a) and its tissues."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from leuko.formats.read import read
from leuko.image.grid import Grid
from leuko.models.template import picture_path, tissues_path

__all__ = ["SPACE", "Template", "load_template", "template_grid"]

SPACE = "MNI152NLin2009aSym"  # its name in BIDS
SHAPE_1MM, ORIGIN = (197, 233, 189), (-98.0, -134.0, -72.0)


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """Tissues and brightness of the average brain on one grid (2 mm, RAS, world = MNI mm)."""

    tissues: npt.NDArray[np.uint8]  # values of Tissue
    picture: npt.NDArray[np.uint8]  # T1-weighted, 0 outside the brain
    grid: Grid


@lru_cache(maxsize=1)
def load_template() -> Template:
    """The packaged template, read once."""
    tissues, picture = read(tissues_path()), read(picture_path())
    return Template(tissues.data.astype(np.uint8), picture.data.astype(np.uint8), tissues.grid)


@lru_cache(maxsize=4)
def template_grid(voxel_mm: float = 1.0) -> Grid:
    """A grid over the template's box with cubic voxels, by default the 1 mm of its publishers.

    Sizes other than 1 mm begin at the same first voxel's centre.
    """
    x, y, z = (int((n - 1) / voxel_mm) + 1 for n in SHAPE_1MM)
    affine = np.diag([voxel_mm] * 3 + [1.0])
    affine[:3, 3] = ORIGIN
    return Grid((x, y, z), affine)
