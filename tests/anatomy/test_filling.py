"""Lesions are filled with the level and the grain of the white matter around them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

from leuko.anatomy.filling import Filled, fill_lesions
from leuko.anatomy.normal_tissue import normal_white_matter

SPACING = (1.0, 1.0, 1.0)
BoolArray = npt.NDArray[np.bool_]


def ball(shape: tuple[int, int, int], centre: tuple[int, int, int], radius: float) -> BoolArray:
    """A ball of voxels."""
    offsets = np.indices(shape).T - np.array(centre)
    return np.asarray((offsets**2).sum(axis=-1).T <= radius**2)


def phantom(
    *, level: float = 100.0, noise: float = 4.0, smooth: float = 0.0, ramp: float = 0.0
) -> tuple[npt.NDArray[np.float64], BoolArray, BoolArray]:
    """A ball of white matter in darker tissue, with grain: image, white matter, lesion mask."""
    shape = (48, 48, 48)
    white = ball(shape, (24, 24, 24), 20)
    lesion = ball(shape, (24, 20, 26), 5)
    grain = np.random.default_rng(1).standard_normal(shape)
    if smooth:
        grain = ndimage.gaussian_filter(grain, smooth)
        grain /= grain.std()
    slope = ramp * (np.indices(shape)[1] - 20.0)
    image = np.where(white, level + slope, 60.0) + noise * grain
    return image, white, lesion


def filled(image: npt.NDArray[np.float64], white: BoolArray | None, lesion: BoolArray) -> Filled:
    """The phantom with its lesion bright, filled."""
    bright = image.copy()
    bright[lesion] += 70.0
    done = fill_lesions(bright, mask=lesion, spacing=SPACING, white=white)
    assert done is not None
    np.testing.assert_array_equal(done.data[~lesion], bright[~lesion])
    return done


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("noise", [2.0, 8.0])
def test_level_and_noise_of_the_white_matter_come_back(noise: float, known: bool) -> None:
    image, white, lesion = phantom(noise=noise)
    done = filled(image, white if known else None, lesion)
    assert done.before == pytest.approx(170, abs=noise)
    assert done.after == pytest.approx(100, abs=0.35 * noise)
    assert done.level == pytest.approx(100, abs=0.2 * noise)
    assert done.noise == pytest.approx(noise, rel=0.25)
    assert done.data[lesion].std() == pytest.approx(noise, rel=0.3)


def test_the_grain_is_as_smooth_as_that_of_the_scan() -> None:
    def alike(values: npt.NDArray[np.float64], mask: BoolArray) -> float:
        both = mask[1:] & mask[:-1]
        return float(np.corrcoef(values[1:][both], values[:-1][both])[0, 1])

    image, white, lesion = phantom(smooth=1.0)
    core = ndimage.binary_erosion(lesion)
    assert alike(filled(image, white, lesion).data, core) == pytest.approx(
        alike(image, white & ~lesion), abs=0.2
    )
    image, white, lesion = phantom(smooth=0.0)
    assert abs(alike(filled(image, white, lesion).data, core)) < 0.2


def test_a_slope_of_the_scan_goes_on_through_the_lesion() -> None:
    """As a bias field makes it: .5 a voxel, 4 between the halves of the lesion."""
    image, white, lesion = phantom(noise=1.0, ramp=0.5)
    data = filled(image, white, lesion).data
    high, low = lesion.copy(), lesion.copy()
    high[:, :23], low[:, 18:] = False, False
    truth = image[high].mean() - image[low].mean()
    assert data[high].mean() - data[low].mean() == pytest.approx(truth, abs=0.35 * truth)


def test_there_is_no_step_at_the_edge_of_the_lesion() -> None:
    image, white, lesion = phantom(noise=0.5)
    data = filled(image, white, lesion).data
    inside = lesion & ~ndimage.binary_erosion(lesion)
    outside = ndimage.binary_dilation(lesion) & ~lesion
    assert data[inside].mean() == pytest.approx(data[outside].mean(), abs=0.5)


def test_dark_lesions_of_a_t1_are_filled_as_bright_ones_are() -> None:
    image, white, lesion = phantom()
    dark = image.copy()
    dark[lesion] -= 50.0
    done = fill_lesions(dark, mask=lesion, spacing=SPACING, white=white)
    assert done is not None
    np.testing.assert_array_equal(done.data, filled(image, white, lesion).data)


def test_whole_numbers_stay_whole_and_within_their_type() -> None:
    image, white, lesion = phantom(level=252.0, noise=6.0)
    stored = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    done = fill_lesions(stored, mask=lesion, spacing=SPACING, white=white)
    assert done is not None
    assert done.data.dtype == np.uint8
    assert done.data[lesion].min() > 200


def test_equal_scans_are_filled_alike_and_an_empty_mask_changes_nothing() -> None:
    image, white, lesion = phantom()
    np.testing.assert_array_equal(
        filled(image, white, lesion).data, filled(image, white, lesion).data
    )
    done = fill_lesions(image, mask=np.zeros_like(lesion), spacing=SPACING, white=white)
    assert done is not None
    assert done.voxels == 0
    np.testing.assert_array_equal(done.data, image)


def test_without_white_matter_nothing_is_filled() -> None:
    image, _, lesion = phantom()
    nowhere = np.zeros_like(lesion)
    assert fill_lesions(image, mask=lesion, spacing=SPACING, white=nowhere) is None
    assert fill_lesions(image, mask=np.ones_like(lesion), spacing=SPACING) is None


def test_normal_white_matter_keeps_off_lesions_and_other_tissue() -> None:
    image, white, lesion = phantom(noise=2.0)
    image[lesion] += 70.0
    normal = normal_white_matter(image, mask=lesion, spacing=SPACING, white=None)
    assert normal is not None
    assert normal.level == pytest.approx(100, abs=1)
    assert not (normal.tissue & ndimage.binary_dilation(lesion)).any()
    assert not (normal.tissue & ~white).any()
