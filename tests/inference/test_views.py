"""What is averaged over, and that the average keeps the symmetries of what it averages."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt
import pytest
from test_predict import FakeEngine

from leuko.inference.predict import predict
from leuko.inference.views import Mirrored, nearly_isotropic, predict_views
from leuko.models.card import Views
from leuko.models.classes import CLASS_COUNT, Tissue
from leuko.preparation.prepare import Prepared, prepare

FloatArray = npt.NDArray[np.float32]


class Lopsided(FakeEngine):
    """Probabilities that depend on where in the plane a pixel lies, too."""

    def __call__(self, slices: FloatArray) -> FloatArray:
        tilt = np.linspace(0.8, 1.2, slices.shape[2], dtype=np.float32)
        return super().__call__(slices * tilt[:, None])


class OneBuffer(FakeEngine):
    """Gives every result in the same piece of memory, as OpenVINO does."""

    def __call__(self, slices: FloatArray) -> FloatArray:
        found = super().__call__(slices)
        if not hasattr(self, "buffer"):
            self.buffer = np.empty_like(found)
        np.copyto(self.buffer, found)
        return self.buffer


class Constant(FakeEngine):
    """The n-th shape of slices that it meets gets the n-th tissue and probability of lesion."""

    def __init__(self, tissues: list[Tissue], lesion: list[float]) -> None:
        super().__init__()
        self.answers = list(zip(tissues, lesion, strict=True))
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, slices: FloatArray) -> FloatArray:
        if slices.shape[2:] not in self.shapes:
            self.shapes.append(slices.shape[2:])
        tissue, lesion = self.answers[self.shapes.index(slices.shape[2:])]
        found = np.zeros((len(slices), CLASS_COUNT, *slices.shape[2:]), dtype=np.float32)
        found[:, tissue] = 1 - lesion
        found[:, Tissue.LESION] = lesion
        return found


def scan(shape: tuple[int, int, int] = (40, 56, 72)) -> npt.NDArray[np.float32]:
    random = np.random.default_rng(5)
    data = random.uniform(60, 140, shape)
    smooth = sum(np.roll(data, k, axis) for axis in range(3) for k in (-1, 0, 1)) / 9
    return np.asarray(smooth, dtype=np.float32)


def shown(data: npt.NDArray[np.float32], axis: int | None = None) -> Prepared:
    return prepare(
        data, spacing=(1.0, 1.0, 1.0), pixel_mm=1.0, neighbours_mm=(3.0,), level=100.0, axis=axis
    )


@pytest.mark.parametrize("slice_axis", [0, 1, 2])
def test_mirrored_slices_get_mirrored_probabilities(slice_axis: int) -> None:
    slices = np.random.default_rng(0).uniform(0, 2, (2, 4, 16, 32)).astype(np.float32)
    engine = Mirrored(Lopsided(), slice_axis)
    if slice_axis == 0:  # through the stack: the neighbours change places, the last channel stays
        np.testing.assert_array_equal(engine(slices[:, [2, 1, 0, 3]]), engine(slices))
    else:
        np.testing.assert_array_equal(engine(slices[:, :, ::-1]), engine(slices)[:, :, ::-1])
    plain = Lopsided()(slices)
    assert np.abs(engine(slices) - plain).max() > 0.01
    np.testing.assert_allclose(engine(slices).sum(axis=1), 1.0, atol=1e-5)


def test_a_mean_is_not_taken_of_memory_that_was_overwritten() -> None:
    slices = np.random.default_rng(0).uniform(0, 2, (1, 3, 16, 32)).astype(np.float32)
    np.testing.assert_array_equal(
        Mirrored(OneBuffer(), 0)(slices), Mirrored(FakeEngine(), 0)(slices)
    )


@pytest.mark.parametrize("slice_axis", [0, 2])
def test_a_mirrored_head_gets_the_mirrored_prediction(slice_axis: int) -> None:
    data = scan()
    views = Views(flips=True)
    found, other = (
        predict_views(shown(head, slice_axis), engine=FakeEngine(), views=views, again=_never)
        for head in (data, np.ascontiguousarray(data[::-1]))
    )
    np.testing.assert_allclose(other.lesion[::-1], found.lesion, atol=1e-5)
    assert (other.anatomy[::-1] == found.anatomy).mean() > 0.9999


def test_no_view_is_the_plain_prediction() -> None:
    prepared = shown(scan())
    found = predict_views(prepared, engine=FakeEngine(), views=Views(), again=_never)
    plain = predict(prepared, engine=FakeEngine())
    np.testing.assert_array_equal(found.lesion, plain.lesion)
    np.testing.assert_array_equal(found.anatomy, plain.anatomy)


@pytest.mark.parametrize("workers", [1, 3])
def test_planes_are_averaged_on_the_scans_own_voxels(workers: int) -> None:
    data = scan()
    found = predict_views(
        shown(data),
        engine=FakeEngine(workers=workers),
        views=Views(planes=True),
        again=partial(shown, data),
    )
    apart = [predict(shown(data, axis), engine=FakeEngine()) for axis in (2, 0, 1)]
    for name in ("lesion", "cap_rim"):
        first, second, third = (getattr(one, name) for one in apart)
        expected = (first + second + third) * np.float32(1 / 3)
        np.testing.assert_array_equal(getattr(found, name), expected)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ((Tissue.CSF, Tissue.CORTEX, Tissue.CORTEX), Tissue.CORTEX),
        ((Tissue.CSF, Tissue.CSF, Tissue.CORTEX), Tissue.CSF),
        ((Tissue.CSF, Tissue.CORTEX, Tissue.CSF), Tissue.CSF),
        ((Tissue.VENTRICLES, Tissue.CORTEX, Tissue.CSF), Tissue.VENTRICLES),
    ],
)
def test_two_of_three_planes_decide_what_a_voxel_is(
    said: tuple[Tissue, ...], expected: Tissue
) -> None:
    data = scan((32, 48, 64))
    found = predict_views(
        shown(data),
        engine=Constant(list(said), [0.3, 0.0, 0.1]),
        views=Views(planes=True),
        again=partial(shown, data),
    )
    assert (found.anatomy == expected).all()
    np.testing.assert_allclose(found.lesion, 0.4 / 3, atol=1e-6)


def test_thick_slices_are_seen_in_their_own_plane_alone() -> None:
    assert nearly_isotropic((0.9, 0.9, 1.2))
    assert not nearly_isotropic((0.9, 0.9, 3.0))
    assert not nearly_isotropic((0.7, 0.7, 1.2))  # uneven
    assert nearly_isotropic((2.0, 2.0, 2.0))
    assert not nearly_isotropic((2.4, 2.4, 2.4))  # coarse


def _never(axis: int) -> Prepared:
    raise AssertionError(axis)
