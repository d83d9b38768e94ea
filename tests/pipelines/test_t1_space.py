"""The mask in the space of the T1: where it lies, and what happens when the T1 is another's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from leuko.cli import main
from leuko.errors import UsageError
from leuko.formats.read import read_mask, read_scan
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import Model
from leuko.pipelines.segment import segment_file
from leuko.pipelines.t1_space import IN_T1, lay_t1, write_in_t1
from leuko.progress import Journal


def centre(image: Image) -> np.ndarray:
    """Centre of a mask in RAS mm."""
    return image.grid.to_world(np.argwhere(image.data > 0)).mean(axis=0)


@pytest.fixture(scope="module")
def case(shared_data: Path) -> Path:
    return shared_data / "wmh" / "tabriz" / "104252"


def test_the_mask_lies_on_the_t1s_own_grid_at_the_same_place(case: Path, tmp_path: Path) -> None:
    """The T1's array is mirrored against the FLAIR's, and here it is moved by a known shift."""
    flair, mask = read_scan(case / "flair.nii.gz"), read_mask(case / "lesions.nii.gz")
    t1 = read_scan(case / "t1.nii.gz")
    shift = np.array([6.0, -4.0, 5.0])
    affine = t1.grid.affine.copy()
    affine[:3, 3] += shift
    moved = Image(t1.data, Grid(t1.grid.shape, affine), replace(t1.source, header=b""))
    journal = Journal()
    laid = lay_t1(moved, flair=flair, journal=journal)
    findings = write_in_t1(mask, t1=moved, laid=laid, folder=tmp_path, journal=journal)
    assert findings == ()
    found = read_mask(tmp_path / IN_T1)
    assert found.grid.shape == t1.grid.shape
    np.testing.assert_allclose(found.grid.affine, affine, atol=1e-4)
    np.testing.assert_allclose(centre(found) - shift, centre(mask), atol=1.0)
    assert journal.steps[0].details["agreement"] > 0.8


def test_the_t1_of_another_head_gives_no_mask_but_a_warning(
    case: Path, shared_data: Path, tmp_path: Path
) -> None:
    flair, mask = read_scan(case / "flair.nii.gz"), read_mask(case / "lesions.nii.gz")
    other = read_scan(shared_data / "wmh" / "ljubljana" / "19" / "t1.nii.gz")
    laid = lay_t1(other, flair=flair, journal=Journal())
    findings = write_in_t1(mask, t1=other, laid=laid, folder=tmp_path, journal=Journal())
    assert [finding.code for finding in findings] == ["t1.not_registered"]
    assert not (tmp_path / IN_T1).exists()


def test_surfaces_and_t1_space_are_written_on_request(
    tmp_path: Path, head_file: Path, head_image: Image, fake_model: Model
) -> None:
    """The head itself, smoothed and darkened, stands for its T1."""
    soft = ndimage.gaussian_filter(np.asarray(head_image.data, dtype=np.float32), 0.5)
    write(soft.max() - soft, tmp_path / "t1.nii.gz", like=head_image)
    config = SegmentConfig(report=False, surface=True, t1_space=True)
    numbers = segment_file(
        head_file, out=tmp_path / "out", config=config, t1=tmp_path / "t1.nii.gz", model=fake_model
    )
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"wmh.glb", "wmh.stl"} <= written
    told = {finding.code for finding in numbers.findings}
    assert (IN_T1 in written) != ("t1.not_registered" in told)
    assert len(told) == len(numbers.findings), "nothing is said twice"


def test_a_t1_that_is_not_there_is_asked_for(head_file: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no T1"):
        segment_file(head_file, out=tmp_path / "out", config=SegmentConfig(t1_space=True))
    assert not (tmp_path / "out").exists()


def test_one_t1_does_not_fit_several_scans(head_file: Path, tmp_path: Path) -> None:
    arguments = ["segment", str(head_file), str(head_file), "--t1", "t1.nii.gz"]
    assert main([*arguments, "-o", str(tmp_path / "out")]) == 2
