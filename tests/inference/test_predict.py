from __future__ import annotations

import threading

import numpy as np
import numpy.typing as npt
import pytest

from leuko.inference.predict import predict
from leuko.inference.slices import with_neighbours
from leuko.models.classes import CLASS_COUNT, Tissue
from leuko.preparation.geometry import to_voxels
from leuko.preparation.prepare import Prepared, prepare

FloatArray = npt.NDArray[np.float32]


class FakeEngine:
    """Probabilities that depend on each slice and its neighbours in a known way."""

    name = "fake"
    precision = "f32"

    def __init__(self, *, workers: int = 1, batch: int = 1) -> None:
        self.workers = workers
        self.batch = batch
        self.sizes: list[int] = []
        self._lock = threading.Lock()

    def __call__(self, slices: FloatArray) -> FloatArray:
        with self._lock:
            self.sizes.append(len(slices))
        below, centre, above = slices[:, 0], slices[:, 1], slices[:, 2]
        scores = np.zeros((len(slices), CLASS_COUNT, *slices.shape[2:]), dtype=np.float32)
        scores[:, Tissue.BACKGROUND] = np.where(centre < 0.3, 6.0, 0.0)
        scores[:, Tissue.WHITE_MATTER] = 4 * centre
        scores[:, Tissue.CORTEX] = 3 * below + 1.5 * above
        scores[:, Tissue.LESION] = 5 * np.maximum(0, centre - 1.2)
        scores[:, Tissue.CAP_RIM] = 3 * np.maximum(0, above - 1.2)
        exponents = np.exp(scores)
        return exponents / exponents.sum(axis=1, keepdims=True)


def prepared_scan(spacing: tuple[float, float, float] = (1.0, 0.9, 5.0)) -> Prepared:
    random = np.random.default_rng(11)
    shape = tuple(round(mm / s) for mm, s in zip((80, 90, 60), spacing, strict=True))
    data = random.uniform(60, 140, shape)
    smooth = sum(np.roll(data, k, axis) for axis in range(3) for k in (-1, 0, 1)) / 9
    smooth[:8] = 0
    return prepare(smooth, spacing=spacing, pixel_mm=0.8, neighbours_mm=(3.0,), level=100.0)


@pytest.mark.parametrize("spacing", [(1.0, 0.9, 5.0), (5.0, 1.0, 0.9), (1.0, 4.0, 1.0)])
def test_probabilities_are_those_of_the_network_brought_back(
    spacing: tuple[float, float, float],
) -> None:
    prepared = prepared_scan(spacing)
    engine = FakeEngine()
    found = predict(prepared, engine=engine)
    n = len(prepared.slices)
    everything = engine(with_neighbours(prepared.slices, range(n), distances=prepared.neighbours))
    for volume, tissue in ((found.lesion, Tissue.LESION), (found.cap_rim, Tissue.CAP_RIM)):
        assert prepared.geometry.shape == volume.shape
        expected = to_voxels(everything[:, tissue], prepared.geometry, kernel="linear")
        np.testing.assert_allclose(volume, expected, atol=1e-3)
    joined = everything[:, :8].copy()
    joined[:, Tissue.WHITE_MATTER] += everything[:, Tissue.LESION] + everything[:, Tissue.CAP_RIM]
    labels = to_voxels(joined.argmax(axis=1), prepared.geometry, kernel="nearest")
    assert (found.anatomy == labels).mean() > 0.9999
    assert found.anatomy.dtype == np.uint8
    assert found.anatomy.max() < Tissue.LESION


def test_batches_and_workers_change_nothing() -> None:
    prepared = prepared_scan()
    one = predict(prepared, engine=FakeEngine())
    for workers, batch in ((2, 1), (3, 4), (1, 50)):
        engine = FakeEngine(workers=workers, batch=batch)
        other = predict(prepared, engine=engine)
        np.testing.assert_array_equal(other.lesion, one.lesion)
        np.testing.assert_array_equal(other.cap_rim, one.cap_rim)
        np.testing.assert_array_equal(other.anatomy, one.anatomy)
        assert max(engine.sizes) == min(batch, len(prepared.slices))
        assert sum(engine.sizes) == len(prepared.slices)


def test_a_lesion_counts_as_white_matter() -> None:
    class AllLesion(FakeEngine):
        def __call__(self, slices: FloatArray) -> FloatArray:
            found = np.full((len(slices), CLASS_COUNT, *slices.shape[2:]), 0.05, np.float32)
            found[:, Tissue.LESION] = 0.3
            found[:, Tissue.CAP_RIM] = 0.15
            found[:, Tissue.CORTEX] = 0.15
            return found

    prepared = prepared_scan()
    found = predict(prepared, engine=AllLesion())
    inside = to_voxels(np.ones_like(prepared.slices), prepared.geometry, kernel="linear") > 0
    assert (found.anatomy[inside] == Tissue.WHITE_MATTER).all()
    assert (found.anatomy[~inside] == Tissue.BACKGROUND).all()
    assert found.lesion[inside].min() == pytest.approx(0.3, abs=1e-5)


def test_equally_likely_tissues_go_to_the_first() -> None:
    class Undecided(FakeEngine):
        def __call__(self, slices: FloatArray) -> FloatArray:
            found = np.zeros((len(slices), CLASS_COUNT, *slices.shape[2:]), np.float32)
            found[:, Tissue.CSF] = found[:, Tissue.VENTRICLES] = 0.5
            return found

    found = predict(prepared_scan(), engine=Undecided())
    assert set(np.unique(found.anatomy)) <= {Tissue.BACKGROUND, Tissue.CSF}
    assert not found.lesion.any()


def test_an_error_in_a_worker_is_the_callers() -> None:
    class Broken(FakeEngine):
        def __call__(self, slices: FloatArray) -> FloatArray:
            raise MemoryError

    with pytest.raises(MemoryError):
        predict(prepared_scan(), engine=Broken(workers=2))


def test_neighbours_repeat_the_outermost_slice() -> None:
    stack = np.arange(5, dtype=np.float32)[:, None, None] * np.ones((1, 2, 3), np.float32)
    shown = with_neighbours(stack, [0, 2, 4], distances=(2,))
    assert [[0, 0, 2], [0, 2, 4], [2, 4, 4]] == shown[:, :, 0, 0].tolist()


def test_thin_slices_without_brain_are_left_out() -> None:
    """Half of the head is empty for this network: it hardly runs there, and the rest is equal."""

    class UpperBrain(FakeEngine):
        def __call__(self, slices: FloatArray) -> FloatArray:
            found = super().__call__(slices)
            empty = slices[:, 1].max(axis=(1, 2)) < 0.5
            found[empty] = 0.0
            found[empty, Tissue.BACKGROUND] = 1.0
            return found

    data = np.full((40, 48, 90), 100.0)
    data[:, :, :45] = 30.0  # as bright as a neck may be
    data[0, 0, 0] = data[-1, -1, 0] = 100.0
    prepared = prepare(
        data, spacing=(1.0, 1.0, 1.0), pixel_mm=0.8, neighbours_mm=(3.0,), level=80.0
    )
    prepared = Prepared(
        prepared.slices, 2, prepared.level, neighbours=(1,), geometry=prepared.geometry
    )
    engine = UpperBrain()
    found = predict(prepared, engine=engine)
    assert sum(engine.sizes) < 0.75 * len(prepared.slices)
    whole = UpperBrain()(
        with_neighbours(prepared.slices, range(len(prepared.slices)), distances=(1,))
    )
    expected = to_voxels(whole[:, Tissue.LESION], prepared.geometry, kernel="linear")
    np.testing.assert_allclose(found.lesion[:, :, 46:], expected[:, :, 46:], atol=1e-3)
