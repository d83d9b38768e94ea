"""Cases through networks in windows: what comes out is what the network says of each voxel."""

import numpy as np
import pytest

from leuko.errors import UsageError
from leuko.image.grid import Grid
from leuko.inference.windows import classify_case, predict_case
from leuko.preparation.case import CasePlan, PreparedCase

FLAT = CasePlan(dims=2, size=(64, 64))
SOLID = CasePlan(dims=3, size=(16, 16, 16))


def case_of(image: np.ndarray, region: np.ndarray | None = None) -> PreparedCase:
    """A case (C, S, H, W) on an axial grid of 1 mm."""
    slices, rows, columns = image.shape[1:]
    grid = Grid.from_spacing((columns, rows, slices), (1.0, 1.0, 1.0))
    return PreparedCase(
        image.astype(np.float32), None, region, (1.0, 1.0, 1.0), grid, grid, (2, 1, 0)
    )


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(7).random(shape, dtype=np.float32)


def pointwise(batch: np.ndarray) -> np.ndarray:
    """Two classes from the first channel's own value."""
    return np.stack([1 - batch[:, 0], batch[:, 0]], axis=1)


def smooth(batch: np.ndarray) -> np.ndarray:
    """Two classes from a mean of neighbours: equivariant under flips, unaware of what is beyond."""
    value = batch[:, 0]
    for axis in range(1, value.ndim):
        padded = np.pad(value, [(1, 1) if a == axis else (0, 0) for a in range(value.ndim)])
        low, high = (np.take(padded, range(at, at + value.shape[axis]), axis) for at in (0, 2))
        value = 0.5 * value + 0.25 * low + 0.25 * high
    return np.stack([1 - value, value], axis=1)


@pytest.mark.parametrize(
    ("plan", "shape"),
    [
        (FLAT, (1, 3, 50, 40)),  # whole slices, padded
        (FLAT, (1, 2, 64, 131)),  # windows along one axis
        (FLAT, (1, 2, 97, 131)),
        (FLAT, (1, 1, 1, 1)),
        (SOLID, (1, 9, 10, 11)),  # smaller than a window
        (SOLID, (1, 16, 33, 23)),
        (SOLID, (1, 1, 20, 20)),
    ],
)
class TestEveryShape:
    def test_a_network_that_looks_at_one_voxel_gives_exactly_its_answer(
        self, plan: CasePlan, shape: tuple[int, ...]
    ) -> None:
        image = noise(*shape)
        found = predict_case(case_of(image), plan=plan, run=pointwise, classes=2)
        assert np.array_equal(found, np.stack([1 - image[0], image[0]]))

    def test_a_constant_network_gives_exactly_its_constant(
        self, plan: CasePlan, shape: tuple[int, ...]
    ) -> None:
        constant = np.array([0.1, 0.7, 0.2], dtype=np.float32)

        def run(batch: np.ndarray) -> np.ndarray:
            size = batch.shape[2:]
            answer = np.broadcast_to(
                constant.reshape(1, 3, *([1] * len(size))), (len(batch), 3, *size)
            )
            return answer.astype(np.float32)

        found = predict_case(case_of(noise(*shape)), plan=plan, run=run, classes=3)
        assert [np.unique(values).tolist() for values in found] == [[v] for v in constant]

    def test_a_mirrored_case_gives_the_mirrored_answer(
        self, plan: CasePlan, shape: tuple[int, ...]
    ) -> None:
        image = noise(*shape)
        turned = image[:, :, ::-1, ::-1] if plan.dims == 2 else image[:, ::-1, ::-1, ::-1]
        found = predict_case(case_of(image), plan=plan, run=smooth, classes=2)
        mirrored = predict_case(case_of(turned), plan=plan, run=smooth, classes=2)
        back = mirrored[:, :, ::-1, ::-1] if plan.dims == 2 else mirrored[:, ::-1, ::-1, ::-1]
        assert np.allclose(found, back, atol=1e-6)


def test_windows_blend_towards_their_centres() -> None:
    def of_left(batch: np.ndarray) -> np.ndarray:
        """Whether a window holds the left end, which is marked with 1."""
        left = (batch[:, 0].max(axis=(1, 2)) == 1).astype(np.float32)
        value = np.broadcast_to(left[:, None, None], (len(batch), *batch.shape[2:]))
        return np.stack([1 - value, value], axis=1)

    image = np.zeros((1, 1, 64, 96), dtype=np.float32)
    image[0, 0, :, 0] = 1
    found = predict_case(case_of(image), plan=FLAT, run=of_left, classes=2)
    line = found[1, 0, 32]
    assert line[:32].tolist() == [1.0] * 32
    assert line[64:].tolist() == [0.0] * 32
    shared = line[32:64]
    assert np.all(np.diff(shared) <= 0)
    assert shared[0] > 0.95
    assert shared[-1] < 0.05
    assert np.allclose(shared + shared[::-1], 1, atol=1e-6)


def test_neighbours_come_as_channels() -> None:
    seen = []

    def run(batch: np.ndarray) -> np.ndarray:
        seen.append(batch[:, :, 0, 0])
        return pointwise(batch)

    image = np.zeros((1, 3, 32, 32), dtype=np.float32)
    image[0] += np.arange(3)[:, None, None]
    plan = CasePlan(dims=2, size=(32, 32), neighbours=1)
    predict_case(case_of(image), plan=plan, run=run, classes=2)
    assert np.concatenate(seen).tolist() == [[0, 0, 1], [0, 1, 2], [1, 2, 2]]


def test_beyond_a_region_all_is_background_and_nothing_is_run() -> None:
    runs = []

    def run(batch: np.ndarray) -> np.ndarray:
        runs.append(len(batch))
        return pointwise(batch)

    region = np.zeros((5, 64, 64), dtype=bool)
    region[2, 10:20, 10:20] = True
    image = noise(1, 5, 64, 64)
    found = predict_case(case_of(image, region), plan=FLAT, run=run, classes=2)
    assert sum(runs) == 1
    assert np.array_equal(found[1], np.where(region, image[0], 0))
    assert np.array_equal(found[0] == 1, ~region)


def test_a_network_of_other_classes_is_refused() -> None:
    with pytest.raises(UsageError, match="was expected"):
        predict_case(case_of(noise(1, 1, 32, 32)), plan=FLAT, run=pointwise, classes=3)


def test_a_case_is_classified_by_the_mean_of_its_slices() -> None:
    def run(batch: np.ndarray) -> np.ndarray:
        value = batch[:, 0].max(axis=(1, 2))
        return np.stack([1 - value, value], axis=1)

    image = np.zeros((1, 4, 20, 70), dtype=np.float32)
    image[0, :2] = 1
    found = classify_case(case_of(image), plan=FLAT, run=run, classes=2)
    assert found.tolist() == [0.5, 0.5]


def test_a_small_case_is_classified_at_the_size_of_training() -> None:
    sizes = []

    def run(batch: np.ndarray) -> np.ndarray:
        sizes.append(batch.shape[1:])
        return np.full((len(batch), 2), 0.5, dtype=np.float32)

    classify_case(case_of(noise(1, 1, 20, 70)), plan=FLAT, run=run, classes=2)
    classify_case(case_of(noise(1, 9, 20, 15)), plan=SOLID, run=run, classes=2)
    assert sizes == [(1, 64, 96), (1, 32, 32, 32)]
