"""Independent readers and validators of DICOM objects, and how tests compare masks in space.

dciodvfy comes with Debian's dicom3tools, dcmqi's readers from PyPI (`pip install dcmqi`); tests
that need one skip where it is absent.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from leuko.image.image import Image

Points = npt.NDArray[np.float64]


def errors_of(path: Path) -> list[str]:
    """The lines in which dciodvfy finds an error in the object at `path`."""
    program = shutil.which("dciodvfy")
    if program is None:
        pytest.skip("no dciodvfy here: install dicom3tools")
    done = subprocess.run([program, path], capture_output=True, text=True, check=False)
    return [line for line in done.stderr.splitlines() if line.startswith("Error")]


def dcmqi(name: str) -> str:
    """The path of a program of dcmqi."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.is_file() else shutil.which(name)
    if found is None:
        pytest.skip("no dcmqi here: pip install dcmqi")
    return found


def points_of(mask: Image) -> Points:
    """World coordinates (RAS mm) of the voxels that are not 0, sorted."""
    return ordered(mask.grid.to_world(np.argwhere(mask.data != 0)))


def points_by_highdicom(path: Path, *, segment: int = 1) -> Points:
    """The same of a segment in the object at `path`, as highdicom reads it."""
    import highdicom

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        volume = highdicom.seg.segread(path).get_volume(
            segment_numbers=[segment], combine_segments=False, rescale_fractional=False
        )
    indices = np.argwhere(volume.array[..., 0] != 0)
    lps = indices @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    return ordered(lps * (-1, -1, 1))


def points_by_simpleitk(path: Path) -> Points:
    """The same of the object at `path`, as SimpleITK (GDCM) reads it: one segment, all frames."""
    import SimpleITK as sitk  # noqa: N813

    image = sitk.ReadImage(str(path))
    return points_of_simpleitk(image)


def points_of_simpleitk(image: object) -> Points:
    """World coordinates (RAS mm) of the voxels that are not 0 of a SimpleITK image."""
    import SimpleITK as sitk  # noqa: N813

    indices = np.argwhere(sitk.GetArrayViewFromImage(image) != 0)[:, ::-1]
    direction = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()  # type: ignore[attr-defined]
    return ordered((indices @ direction.T + image.GetOrigin()) * (-1, -1, 1))  # type: ignore[attr-defined]


def points_by_dcmqi(path: Path, folder: Path) -> Points:
    """The same of the object at `path`, as dcmqi converts it into `folder`."""
    import SimpleITK as sitk  # noqa: N813

    folder.mkdir(exist_ok=True)
    subprocess.run(
        [dcmqi("segimage2itkimage"), "--inputDICOM", path, "--outputDirectory", folder,
         "--outputType", "nrrd", "--mergeSegments"],
        check=True, capture_output=True,
    )  # fmt: skip
    return points_of_simpleitk(sitk.ReadImage(str(folder / "1.nrrd")))


def ordered(points: Points) -> Points:
    """Points in an order that does not depend on the array that they came from."""
    rounded = np.round(points, 2)
    return points[np.lexsort(rounded.T)]


def assert_same_points(expected: Points, actual: Points, *, mm: float = 0.02) -> None:
    """Both are the same places, each point within `mm` of its own (a nearest-neighbour match)."""
    from scipy.spatial import cKDTree

    assert len(expected) == len(actual)
    if len(expected):
        distance, partner = cKDTree(actual).query(expected)
        assert distance.max() <= mm
        assert len(set(partner.tolist())) == len(partner)
