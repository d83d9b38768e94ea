"""Volumes to time: the packaged sample resampled to a 1 mm and to a thick-slice grid.

Run by timing.py in a process of its own: `python benchmarks/volumes.py FOLDER`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.affines import voxel_sizes
from scipy import ndimage

from leuko import models

SAMPLE = Path(models.__file__).parent / "sample" / "flair.nii.gz"
TARGETS = {
    "sample_1mm": ((182, 218, 182), (1.0, 1.0, 1.0)),
    "sample_thick": ((256, 256, 20), (0.9, 0.9, 6.5)),
}


def resampled(
    source: nib.Nifti1Image, shape: tuple[int, int, int], spacing: tuple[float, float, float]
) -> nib.Nifti1Image:
    """`source` by linear interpolation on a grid of the same orientation and centre."""
    data = np.asarray(source.dataobj, dtype=np.float32)
    old = voxel_sizes(source.affine)
    zoom = np.asarray(spacing) / old
    offset = (np.asarray(data.shape) - 1) / 2 - zoom * (np.asarray(shape) - 1) / 2
    values = ndimage.affine_transform(data, zoom, offset=offset, output_shape=shape, order=1)
    affine = source.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ offset
    affine[:3, :3] *= zoom
    return nib.Nifti1Image(np.round(values).astype(np.int16), affine)


def main() -> int:
    """Write both volumes into the folder named on the command line."""
    folder = Path(sys.argv[1])
    source = nib.load(SAMPLE)
    for name, (shape, spacing) in TARGETS.items():
        nib.save(resampled(source, shape, spacing), folder / f"{name}.nii.gz")
    return 0


if __name__ == "__main__":
    sys.exit(main())
