"""Atlases in MNI space made from the template: left and right halves in front and behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from leuko.anatomy.template import load_template, template_grid
from leuko.anatomy.tissue_maps import BRAIN
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image

__all__ = ["NAMES", "quarters", "write_quarters"]

NAMES = "index\tname\n1\tFront L\n2\tFront R\n3\tBack L\n4\tBack R\n"


def quarters() -> Image:
    """1 front left, 2 front right, 3 back left, 4 back right of y = -20; 2 mm, template grid."""
    template = load_template()
    points = template.grid.to_world(np.indices(template.grid.shape).transpose(1, 2, 3, 0))
    values = 1 + (points[..., 0] > 0) + 2 * (points[..., 1] < -20)
    values[~np.isin(template.tissues, BRAIN)] = 0
    return Image(values.astype(np.int16), template.grid)


def write_quarters(folder: Path, *, shift: float = 0.0, name: str = "quarters.nii.gz") -> Path:
    """The atlas in a file; `shift` mm puts it beside MNI space."""
    atlas = quarters()
    affine = atlas.grid.affine.copy()
    affine[1, 3] += shift
    path = folder / name
    write(Image(atlas.data, Grid(atlas.grid.shape, affine)), path, labels=True)
    return path


def classic_box(*, mirrored: bool) -> np.ndarray:
    """The quarters in the ICBM's box of 181 x 217 x 181 voxels, with left at low or high x."""
    atlas = quarters()
    fine = template_grid()
    values = np.repeat(np.repeat(np.repeat(atlas.data, 2, 0), 2, 1), 2, 2)[1:, 1:, 1:]
    assert values.shape == fine.shape
    box = values[8 : 8 + 181, 8 : 8 + 217, 0:181]
    return box[::-1] if mirrored else box
