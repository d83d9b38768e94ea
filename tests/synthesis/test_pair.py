"""A synthetic FLAIR and T1 of one head, with its white matter."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from leuko.synthesis.pair import synthetic_pair


@pytest.fixture(scope="module")
def pair(shared_data):
    return synthetic_pair(shared_data / "labelmaps" / "head_03.nii.gz", seed=4)


def test_all_three_lie_on_one_grid_of_clinical_slices(pair):
    assert pair.flair.grid == pair.t1.grid == pair.white_matter.grid
    assert 0.9 == pair.flair.grid.spacing[0] == pair.flair.grid.spacing[1]
    assert 2.0 <= pair.flair.grid.spacing[2] <= 8.0


def test_white_matter_has_the_volume_of_a_brains(pair):
    ml = np.count_nonzero(pair.white_matter.data) * pair.white_matter.grid.voxel_mm3 / 1000
    assert 250 < ml < 800


def test_white_matter_is_among_the_brightest_of_the_brain_in_t1(pair):
    """Grey matter and fluid around it are darker: the median of a shell about it is."""
    from scipy import ndimage

    white = pair.white_matter.data > 0
    around = ndimage.binary_dilation(white, np.ones((5, 5, 1))) & ~white
    assert np.median(pair.t1.data[around]) < np.median(pair.t1.data[white])


def test_the_same_seed_gives_the_same_pair_and_another_one_another(pair, shared_data):
    path = shared_data / "labelmaps" / "head_03.nii.gz"
    again, other = synthetic_pair(path, seed=4), synthetic_pair(path, seed=5)
    np.testing.assert_array_equal(pair.flair.data, again.flair.data)
    np.testing.assert_array_equal(pair.t1.data, again.t1.data)
    assert pair.flair.grid.shape != other.flair.grid.shape or not np.array_equal(
        pair.flair.data, other.flair.data
    )
