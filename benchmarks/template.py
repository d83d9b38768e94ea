"""The packaged template: from the MNI's average brain to 2 mm and its tissues.

    python benchmarks/template.py DATA/atlases/mni152_09a_t1_brain_1mm.nii.gz OUT

The T1-weighted brain is given the brightness of a FLAIR (a curve through seven points: fluid dark,
grey matter brighter than white), the packaged network names the tissues, these are cleaned as those
of every scan, made symmetric (the template is) and sampled to 2 mm. So template and scans are
named by one and the same judge. OUT gets t1.nii.gz and tissues.nii.gz.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

from leuko.formats.read import read
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.models.classes import Tissue
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import load_model
from leuko.pipelines.observe import observe
from leuko.progress import Journal, silent

T1 = (0, 60, 110, 150, 170, 195, 215, 255)  # fluid, grey matter about 160, white matter 215
FLAIR = (0, 15, 60, 125, 122, 108, 100, 98)


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("t1", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    image = read(given.t1)
    given.out.mkdir(parents=True, exist_ok=True)
    tissues = symmetric(named(image))
    grid = coarser(image.grid)
    print(f"{grid!r}; ml: {volumes(tissues, image.grid.voxel_mm3)}")
    picture = halved(image.data.astype(np.float32)).round().astype(np.uint8)
    write(Image(picture, grid), given.out / "t1.nii.gz")
    write(Image(commonest(tissues), grid), given.out / "tissues.nii.gz", labels=True)


def named(t1: Image) -> npt.NDArray[np.uint8]:
    """The tissues of the T1-weighted brain, as the network sees them with a FLAIR's contrast."""
    values = np.interp(t1.data.astype(np.float64), T1, FLAIR).astype(np.float32)
    config = SegmentConfig(policy="lenient", precision="f32")
    seen = observe(
        t1.with_data(values), config=config, model=load_model(config), journal=Journal(silent)
    )
    return seen.prediction.anatomy


def symmetric(tissues: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Both halves alike, as the template is: its right half, and that mirrored."""
    middle = (len(tissues) - 1) // 2
    right = tissues[middle:]
    return np.concatenate([right[:0:-1], right])


def coarser(grid: Grid) -> Grid:
    """Voxels of 2 mm, each centred on a voxel of 1 mm; the middle plane stays one."""
    affine = grid.affine.copy()
    affine[:3, :3] *= 2
    x, y, z = ((n + 1) // 2 for n in grid.shape)
    return Grid((x, y, z), affine)


def halved(values: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Every other voxel, after smoothing with weights 1/4, 1/2, 1/4 along each axis."""
    for axis in range(3):
        around = [(int(k == axis), int(k == axis)) for k in range(3)]
        wide = np.pad(values, around, mode="edge")
        lines = np.moveaxis(wide, axis, 0)
        smooth = (lines[:-2] + 2 * lines[1:-1] + lines[2:]) / 4
        values = np.moveaxis(smooth[::2], 0, axis)
    return np.ascontiguousarray(values)


def commonest(tissues: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The tissue with most weight around every other voxel."""
    weights = [halved((tissues == tissue).astype(np.float32)) for tissue in Tissue]
    found: npt.NDArray[np.uint8] = np.argmax(np.stack(weights), axis=0).astype(np.uint8)
    return found


def volumes(tissues: npt.NDArray[np.uint8], voxel_mm3: float) -> str:
    """Volumes by tissue, to read."""
    counts = np.bincount(tissues.ravel(), minlength=len(Tissue)) * voxel_mm3 / 1000
    return ", ".join(
        f"{tissue.name.lower()} {counts[tissue]:.0f}"
        for tissue in Tissue
        if tissue and counts[tissue]
    )


if __name__ == "__main__":
    main()
