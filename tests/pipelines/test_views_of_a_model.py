"""The main job with a model whose card asks for several views."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from brightness_network import BrightnessEngine, make_card, make_head

from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.models.card import Views
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import Model
from leuko.pipelines.segment import segment

CONFIG = SegmentConfig(policy="lenient")
SHAPE = (60, 72, 56)


def head(spacing: tuple[float, float, float] = (1.5, 1.5, 1.5)) -> Image:
    return Image(make_head(SHAPE), Grid.from_spacing(SHAPE, spacing))


def model(views: Views) -> Model:
    return Model.of(make_card(views=views), BrightnessEngine())


def turned(image: Image) -> Image:
    """The same head with its axes in another order, two of them backwards."""
    affine = image.grid.affine[:, [1, 2, 0, 3]].copy()
    data = image.data.transpose(1, 2, 0)[:, ::-1, ::-1]
    for axis in (1, 2):
        affine[:3, 3] += affine[:3, axis] * (data.shape[axis] - 1)
        affine[:3, axis] *= -1
    return Image(np.ascontiguousarray(data), Grid(data.shape, affine))


@pytest.mark.parametrize("views", [Views(flips=True), Views(planes=True)])
def test_a_turned_file_gives_exactly_the_turned_mask(views: Views) -> None:
    straight, found = (
        segment(image, config=CONFIG, model=model(views)) for image in (head(), turned(head()))
    )
    assert straight.burden.lesion_count >= 3
    expected = straight.mask.data.transpose(1, 2, 0)[:, ::-1, ::-1]
    np.testing.assert_array_equal(found.mask.data, expected)


@pytest.mark.parametrize(
    ("views", "looks"),
    [
        (Views(flips=True), {(1.5, 1.5, 1.5): 2, (1.5, 1.5, 4.0): 2}),
        (Views(planes=True), {(1.5, 1.5, 1.5): 3, (1.5, 1.5, 4.0): 1}),
        (Views(flips=True, planes=True), {(1.5, 1.5, 1.5): 3, (1.5, 1.5, 4.0): 2}),
    ],
)
def test_the_network_sees_a_scan_as_often_as_its_card_says(
    views: Views, looks: dict[tuple[float, float, float], int]
) -> None:
    class Counting(BrightnessEngine):
        batch = 1

    for spacing, expected in looks.items():
        counted = []
        for asked in (Views(), views):
            engine = Counting()
            chosen = Model.of(make_card(views=asked), engine)
            result = segment(head(spacing), config=CONFIG, model=chosen)
            counted.append(engine.calls)
        # Planes have not all the same number of slices.
        assert expected - 0.7 < counted[1] / counted[0] < expected + 0.7
        predicted = next(step for step in result.steps if step.name == "predict")
        noted = dict(predicted.details)
        assert {name: noted[name] for name in ("flips", "planes")} == msgspec.to_builtins(views)
