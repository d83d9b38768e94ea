"""The five challenge metrics against SimpleITK's filters and SciPy's KD-tree, step by step."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import KDTree

from leuko.evaluation.pair import INTEGER_RULE, REAL_RULE, pair_images
from leuko.evaluation.registry import CHALLENGE
from leuko.evaluation.scores import scores
from leuko.formats.read import read_mask
from leuko.image.grid import Grid
from leuko.image.image import Image

sitk = pytest.importorskip("SimpleITK")

TO_LPS = np.diag([-1.0, -1.0, 1.0])


def as_sitk(image: Image, dtype: type[np.generic]) -> sitk.Image:
    """The image as SimpleITK holds it: axes x, y, z are the file's, physical space is LPS."""
    made = sitk.GetImageFromArray(np.ascontiguousarray(image.data.T.astype(dtype)))
    matrix = TO_LPS @ image.grid.affine[:3, :3]
    spacing = np.linalg.norm(matrix, axis=0)
    made.SetSpacing(spacing.tolist())
    made.SetDirection((matrix / spacing).ravel().tolist())
    made.SetOrigin((TO_LPS @ image.grid.affine[:3, 3]).tolist())
    return made


def boundary_points(mask: sitk.Image) -> np.ndarray:
    eroded = sitk.BinaryErode(mask, (1, 1, 0))
    outline = sitk.GetArrayFromImage(sitk.Subtract(mask, eroded))
    indices = np.argwhere(outline)[:, ::-1]
    return np.array([mask.TransformIndexToPhysicalPoint(i.tolist()) for i in indices])


def percentile_distance(start: np.ndarray, end: np.ndarray) -> float:
    return float(np.percentile(KDTree(end, leafsize=100).query(start)[0], 95))


def label(mask: sitk.Image) -> np.ndarray:
    components = sitk.ConnectedComponentImageFilter()
    components.SetFullyConnected(True)
    return sitk.GetArrayFromImage(components.Execute(mask))


def oracle(reference: Image, prediction: Image) -> dict[str, float]:
    """The definition of METRICS, told to SimpleITK; both masks must hold a voxel."""
    truth = as_sitk(reference, np.float32)
    values = as_sitk(prediction, prediction.data.dtype.type)
    lesion = sitk.BinaryThreshold(truth, 0.5, 1.5, 1, 0)
    other = sitk.BinaryThreshold(truth, 1.5, 2.5, 0, 1)
    values = sitk.Mask(values, other)
    whole = "integer" in values.GetPixelIDTypeAsString()
    found = sitk.BinaryThreshold(values, 1 if whole else 0.5, 1000, 1, 0)

    overlap = sitk.LabelOverlapMeasuresImageFilter()
    overlap.Execute(lesion, found)
    result = {"dice": overlap.GetDiceCoefficient()}

    points, others = boundary_points(lesion), boundary_points(found)
    result["h95"] = max(percentile_distance(points, others), percentile_distance(others, points))

    sums = sitk.StatisticsImageFilter()
    sums.Execute(lesion)
    reference_sum = sums.GetSum()
    sums.Execute(found)
    result["avd"] = abs(sums.GetSum() - reference_sum) / reference_sum * 100

    labels = label(lesion)
    touched = np.unique(labels[sitk.GetArrayViewFromImage(found) > 0])
    hit = int((touched > 0).sum())
    recall = hit / labels.max()
    precision = hit / label(found).max()
    result["lesion_recall"] = recall
    total = precision + recall
    result["lesion_f1"] = 2 * precision * recall / total if total else 0.0
    return result


def random_affine(rng: np.random.Generator) -> np.ndarray:
    """Anisotropic spacing; half of the cases rotated, flipped or with permuted axes."""
    spacing = rng.uniform(0.4, 3.0, 3) * np.array([1, 1, rng.choice([1.0, 4.0])])
    matrix = np.diag(spacing)
    if rng.random() < 0.5:
        rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        matrix = rotation @ matrix
    affine = np.eye(4)
    affine[:3, :3] = matrix
    affine[:3, 3] = rng.uniform(-100, 100, 3)
    return affine


def random_mask(rng: np.random.Generator, shape: tuple[int, int, int]) -> np.ndarray:
    """A blob mask, scattered voxels, or blocks at the border of the image."""
    kind = rng.integers(4)
    noise = rng.normal(size=shape)
    if kind == 0:
        mask = ndimage.gaussian_filter(noise, rng.uniform(0.5, 2)) > 0
        mask &= ndimage.gaussian_filter(rng.normal(size=shape), 2) > 0.05
    elif kind == 1:
        mask = noise > rng.uniform(1.5, 2.5)
    elif kind == 2:
        mask = np.zeros(shape, bool)
        low = [int(rng.integers(0, n - 1)) for n in shape]
        mask[low[0] :, low[1] :, low[2] :] = True
    else:
        mask = np.zeros(shape, bool)
        mask[: shape[0] // 2] = noise[: shape[0] // 2] > 0.5
        mask[:, 0] = True
    if not mask.any():
        mask[tuple(int(rng.integers(n)) for n in shape)] = True
    return mask


def random_pair(seed: int) -> tuple[Image, Image]:
    rng = np.random.default_rng(seed)
    low, middle, high = (int(n) for n in rng.integers(4, 18, 3))
    shape = (low, middle, high)
    grid = Grid(shape, random_affine(rng))
    lesion = random_mask(rng, shape)
    truth = lesion.astype(rng.choice([np.uint8, np.int16, np.float32]))
    if rng.random() < 0.4:
        truth[random_mask(rng, shape) & ~lesion] = 2
    found = random_mask(rng, shape)
    if rng.random() < 0.5:
        found = found | lesion
    kept = found & (truth != 2)
    if not kept.any():
        found = found | lesion
    if rng.random() < 0.5:
        values = found.astype(np.uint8) * int(rng.integers(1, 4))
    else:
        values = np.where(found, rng.uniform(0.5, 1, shape), rng.uniform(0, 0.49, shape))
        values = values.astype(np.float32)
    return Image(truth, grid), Image(values, grid)


@pytest.mark.parametrize("block", range(10))
def test_the_five_metrics_equal_simpleitk_and_scipy_on_random_pairs(block: int) -> None:
    """Forty pairs a block: blobs, single voxels, borders, anisotropic and rotated grids."""
    for seed in range(40 * block, 40 * (block + 1)):
        reference, prediction = random_pair(seed)
        expected = oracle(reference, prediction)
        actual = scores(pair_images(reference, prediction), names=CHALLENGE)
        for name in CHALLENGE:
            assert math.isclose(expected[name], actual[name], abs_tol=1e-6), (seed, name)


def test_a_value_on_a_threshold_counts_as_inside_as_in_simpleitk() -> None:
    """0.5 and 1.5 are lesion, 1.5 and 2.5 also remove predictions, and so is 0.5 a prediction."""
    grid = Grid.from_spacing((4, 4, 4), (1.0, 1.0, 1.0))
    truth = np.zeros(grid.shape, np.float32)
    truth[0, 0] = [0.49, 0.5, 1.5, 1.51]
    truth[2, 2] = [2.5, 2.51, 1.0, 0.0]
    values = np.zeros(grid.shape, np.float32)
    values[0, 0] = [1, 0.5, 1, 1]
    values[2, 2] = [1, 1000, 1001, 0.499]
    reference, prediction = Image(truth, grid), Image(values, grid)
    expected = oracle(reference, prediction)
    actual = scores(pair_images(reference, prediction), names=CHALLENGE)
    assert actual == pytest.approx(expected, abs=1e-6)


def thresholded(image: sitk.Image, low: float, high: float) -> np.ndarray:
    """What SimpleITK's filter keeps, whose bounds have the image's own type."""
    return sitk.GetArrayFromImage(sitk.BinaryThreshold(image, low, high, 1, 0)).T > 0


def test_an_integer_reference_is_read_as_real_numbers() -> None:
    """On an integer image the filter's bounds are cut to 0 and 1: all background is lesion.

    That is the trap; the same file read as real numbers gives label 1 alone.
    """
    grid = Grid.from_spacing((4, 4, 4), (1.0, 1.0, 1.0))
    labels = np.zeros(grid.shape, np.uint8)
    labels[1, 1], labels[2, 2] = 1, 2
    reference = Image(labels, grid)
    assert np.array_equal(thresholded(as_sitk(reference, np.uint8), 0.5, 1.5), labels <= 1)
    assert np.array_equal(thresholded(as_sitk(reference, np.float32), 0.5, 1.5), labels == 1)
    made = pair_images(reference, Image((labels > 0).astype(np.uint8), grid))
    assert (made.reference_voxels, made.prediction_voxels, made.common_voxels) == (4, 4, 4)


def test_the_type_of_the_reference_changes_nothing() -> None:
    for seed in range(40, 60):
        reference, prediction = random_pair(seed)
        expected = scores(pair_images(reference, prediction), names=CHALLENGE)
        for dtype in (np.uint8, np.int16, np.int32, np.uint16, np.float32, np.float64):
            other = reference.with_data(reference.data.astype(dtype))
            assert expected == scores(pair_images(other, prediction), names=CHALLENGE)


def test_label_two_leaves_the_reference_and_the_prediction_but_not_their_distances() -> None:
    """A lesion of label 1 found whole, with label 2 beside it found whole too: all is perfect.

    A second prediction that touches the first only through label 2 is a lesion of its own.
    """
    grid = Grid.from_spacing((12, 6, 4), (1.0, 1.0, 3.0))
    truth = np.zeros(grid.shape, np.int16)
    truth[1:4, 1:4, 1], truth[4:7, 1:4, 1] = 1, 2
    found = (truth > 0).astype(np.int16)
    whole = pair_images(Image(truth, grid), Image(found, grid))
    assert scores(whole, names=CHALLENGE) == {
        "dice": 1.0, "h95": 0.0, "avd": 0.0, "lesion_recall": 1.0, "lesion_f1": 1.0
    }  # fmt: skip
    found[7:9, 1:4, 1] = 1
    split = pair_images(Image(truth, grid), Image(found, grid))
    assert split.predicted_lesions.count == 2
    expected = oracle(Image(truth, grid), Image(found, grid))
    assert scores(split, names=CHALLENGE) == pytest.approx(expected, abs=1e-6)


def write(path: Path, values: np.ndarray, *, slope: float, intercept: float = 0.0) -> Path:
    """A NIfTI file of `values` as they are stored, with the slope and intercept of its header."""
    nibabel = pytest.importorskip("nibabel")
    image = nibabel.Nifti1Image(values, np.diag([1.0, 1.0, 3.0, 1.0]))
    image.header["scl_slope"], image.header["scl_inter"] = slope, intercept
    content = bytearray(image.to_bytes())
    content[112:120] = np.array([slope, intercept], "<f4").tobytes()
    path.write_bytes(bytes(content))
    return path


@pytest.mark.parametrize(
    ("slope", "intercept", "rule", "voxels"),
    [
        (1.0, 0.0, INTEGER_RULE, 4),  # 1, 40, 60 and 100
        (0.0, 0.0, INTEGER_RULE, 4),  # no scaling
        (0.01, 0.0, REAL_RULE, 2),  # .6 and 1
        (2.0, 0.0, REAL_RULE, 4),  # whole numbers, but of a scaled file
        (1.0, -50.0, REAL_RULE, 2),  # 10 and 50
    ],
)
def test_the_rule_for_the_prediction_follows_the_type_after_slope_and_intercept(
    tmp_path: Path, slope: float, intercept: float, rule: str, voxels: int
) -> None:
    """As SimpleITK sees the file, whose reader gives real numbers for whatever is scaled."""
    stored = np.zeros((5, 5, 3), np.int16)
    stored[1, 1, 1], stored[2, 1, 1], stored[3, 1, 1], stored[3, 3, 1] = 1, 40, 60, 100
    path = write(tmp_path / "prediction.nii", stored, slope=slope, intercept=intercept)
    truth = write(tmp_path / "truth.nii", np.ones_like(stored), slope=1.0)
    made = pair_images(read_mask(truth), read_mask(path))
    assert (made.rule, made.prediction_voxels) == (rule, voxels)
    seen = sitk.ReadImage(str(path))
    whole = "integer" in seen.GetPixelIDTypeAsString()
    assert whole == (rule == INTEGER_RULE)
    assert np.count_nonzero(thresholded(seen, 1 if whole else 0.5, 1000)) == voxels
