"""A model on an image: the mask lies where the image lies, whatever its axes and spacing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import leuko
from leuko.errors import GridMismatch, UnusableInput, UsageError
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.inference.trained import Trained, load_trained
from leuko.pipelines.predict import predict_image
from leuko.preparation.case import CasePlan
from level_model import write_model

SHAPE = (22, 30, 9)


def levels(shape: tuple[int, ...] = SHAPE, *, most: int = 1) -> np.ndarray:
    """Blocks of whole levels, nothing symmetric about them."""
    blocks = np.random.default_rng(4).integers(0, most + 1, [-(-n // 5) for n in shape])
    for axis, length in enumerate(shape):
        blocks = np.repeat(blocks, 5, axis=axis).take(range(length), axis=axis)
    return blocks.astype(np.float32)


def scan(data: np.ndarray, spacing: tuple[float, float, float] = (1.0, 1.0, 3.0)) -> Image:
    first, second, third, *_ = data.shape
    return Image(data, Grid.from_spacing((first, second, third), spacing))


def turned(image: Image) -> Image:
    """The same image in the world, stored with other axes."""
    first, second = image.grid.affine, np.array(image.grid.affine)
    data = image.data[::-1].transpose(2, 0, 1)
    second[:3, 1], second[:3, 2], second[:3, 0] = -first[:3, 0], first[:3, 1], first[:3, 2]
    second[:3, 3] = first[:3, 3] + first[:3, 0] * (image.grid.shape[0] - 1)
    return Image(data, Grid(data.shape, second))


def model(folder: Path, **settings: object) -> Trained:
    write_model(folder, **settings)
    return load_trained(folder, precision="f32")


PLANS = {
    "slices": CasePlan(intensity="none", size=(32, 32)),
    "windows": CasePlan(intensity="none", size=(16, 16)),
    "coronal": CasePlan(intensity="none", axis="coronal", size=(32, 32)),
    "2.5D": CasePlan(intensity="none", neighbours=1, size=(32, 32)),
    "3D": CasePlan(dims=3, intensity="none", size=(16, 16, 16)),
}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
class TestEveryPlan:
    def test_each_voxel_gets_its_class(self, tmp_path: Path, plan: CasePlan) -> None:
        data = levels(most=2)
        trained = model(tmp_path, plan=plan, classes=("background", "low", "high"))
        found = predict_image(trained, [scan(data)])
        assert found.label is not None
        assert np.array_equal(data, found.label.data)
        assert np.uint8 == found.label.data.dtype
        assert {
            "low": pytest.approx(3 * (data == 1).sum()),
            "high": pytest.approx(3 * (data == 2).sum()),
        } == found.volumes

    def test_other_axes_give_exactly_the_turned_mask(self, tmp_path: Path, plan: CasePlan) -> None:
        image = scan(np.random.default_rng(2).random(SHAPE, dtype=np.float32))
        trained = model(tmp_path, plan=plan)
        straight = predict_image(trained, [image], probabilities=True)
        other = predict_image(trained, [turned(image)], probabilities=True)
        assert straight.label is not None
        assert other.label is not None
        assert straight.probabilities is not None
        assert other.probabilities is not None
        assert np.array_equal(turned(straight.label).data, other.label.data)
        assert np.array_equal(turned(straight.probabilities).data, other.probabilities.data)

    def test_a_single_slice_is_predicted(self, tmp_path: Path, plan: CasePlan) -> None:
        data = levels((22, 30, 1))
        found = predict_image(model(tmp_path, plan=plan), [scan(data)])
        assert found.label is not None
        assert np.array_equal(data, found.label.data)


def test_a_resampled_image_gets_its_mask_on_its_own_grid(tmp_path: Path) -> None:
    data = np.zeros((40, 44, 12), dtype=np.float32)
    data[10:30, 12:32, 3:9] = 1
    trained = model(
        tmp_path, plan=CasePlan(intensity="none", spacing=(2.0, 2.0, 2.0), size=(32, 32))
    )
    found = predict_image(trained, [scan(data)])
    assert found.label is not None
    assert data.shape == found.label.data.shape
    wrong = np.count_nonzero(found.label.data != data)
    assert wrong < 0.06 * data.sum()
    assert found.slices == 18


def test_labels_are_those_of_the_masks_that_were_learnt_from(tmp_path: Path) -> None:
    data = levels(most=2)
    trained = model(tmp_path, classes=("background", "edema", "core"), values=(0, 2, 400))
    found = predict_image(trained, [scan(data)])
    assert found.label is not None
    assert np.array_equal(np.array([0, 2, 400])[data.astype(int)], found.label.data)
    assert {2: "edema", 400: "core"} == found.names


def test_probabilities_of_one_class_are_a_volume_and_of_several_a_series(tmp_path: Path) -> None:
    data = levels(most=2)
    two = predict_image(model(tmp_path / "two"), [scan(data)], probabilities=True)
    names = ("background", "low", "high")
    three = predict_image(
        model(tmp_path / "three", classes=names), [scan(data)], probabilities=True
    )
    assert two.probabilities is not None
    assert three.probabilities is not None
    assert SHAPE == two.probabilities.data.shape
    assert (*SHAPE, 2) == three.probabilities.data.shape
    assert np.allclose(data == 2, three.probabilities.data[..., 1], atol=1e-3)


def test_a_channel_of_another_grid_is_brought_onto_the_first(tmp_path: Path) -> None:
    image = scan(levels())
    trained = model(tmp_path, channels=("flair", "t1"))
    found = predict_image(trained, [image, turned(image)])
    assert found.label is not None
    assert np.array_equal(image.data, found.label.data)


@pytest.mark.parametrize("count", [1, 3])
def test_another_number_of_channels_is_refused_with_their_names(tmp_path: Path, count: int) -> None:
    trained = model(tmp_path, channels=("flair", "t1"))
    with pytest.raises(UsageError, match=rf"needs 2 images .*\(flair, t1\); {count} given"):
        predict_image(trained, [scan(levels())] * count)


def test_a_series_is_refused_with_the_way_out(tmp_path: Path) -> None:
    series = scan(np.stack([levels()] * 3, axis=-1))
    with pytest.raises(UnusableInput, match="3 volumes") as refused:
        predict_image(model(tmp_path), [series])
    assert "leuko convert --volume" in refused.value.hint


def test_a_model_trained_in_a_region_needs_one_and_stays_in_it(tmp_path: Path) -> None:
    trained = model(tmp_path, region=True)
    image = scan(np.ones(SHAPE, dtype=np.float32))
    with pytest.raises(UsageError, match="needs one for each image"):
        predict_image(trained, [image])
    inside = np.zeros(SHAPE, dtype=np.uint8)
    inside[4:9, 3:20, 2:5] = 1
    found = predict_image(trained, [image], region=image.with_data(inside))
    assert found.label is not None
    assert np.array_equal(inside, found.label.data)
    with pytest.raises(GridMismatch):
        predict_image(trained, [image], region=scan(inside[1:]))


def test_a_region_that_the_model_does_not_know_is_warned_of(tmp_path: Path) -> None:
    image = scan(levels())
    found = predict_image(model(tmp_path), [image], region=image)
    assert ["predict.region_unknown"] == [finding.code for finding in found.findings]


def test_what_the_model_was_not_made_for_is_told(tmp_path: Path) -> None:
    window = CasePlan(intensity="window", window=(-150.0, 250.0), size=(32, 32))
    no_ct = predict_image(model(tmp_path / "a", plan=window), [scan(levels())])
    assert "predict.no_hounsfield" in [finding.code for finding in no_ct.findings]
    slice_ = predict_image(model(tmp_path / "b", plan=PLANS["3D"]), [scan(levels((9, 9, 1)))])
    assert "predict.single_slice" in [finding.code for finding in slice_.findings]
    image = scan(levels())
    lost = Image(image.data, replace(image.grid, oriented=False))
    coronal = predict_image(model(tmp_path / "c", plan=PLANS["coronal"]), [lost])
    assert "predict.orientation_unknown" in [finding.code for finding in coronal.findings]
    empty = predict_image(model(tmp_path / "d"), [scan(np.zeros(SHAPE, dtype=np.float32))])
    assert ["predict.nothing_found"] == [finding.code for finding in empty.findings]


def test_a_classifier_gives_a_probability_for_each_class(tmp_path: Path) -> None:
    trained = model(tmp_path, task="classification", classes=("absent", "present"))
    found = predict_image(trained, [scan(np.ones((32, 32, 2), dtype=np.float32))])
    assert found.label is None
    assert found.scores["present"] > 0.99
    assert sum(found.scores.values()) == pytest.approx(1)


def test_in_python_a_path_or_an_image_will_do(tmp_path: Path) -> None:
    write_model(tmp_path / "model")
    image = scan(levels())
    leuko.write(image, tmp_path / "image.nii.gz")
    of_image = leuko.predict(tmp_path / "model", image)
    of_path = leuko.predict(str(tmp_path / "model"), str(tmp_path / "image.nii.gz"))
    assert of_image.label is not None
    assert of_path.label is not None
    assert np.array_equal(of_image.label.data, of_path.label.data)
    assert of_path.label.grid == leuko.read(tmp_path / "image.nii.gz").grid
