"""What a data set suggests for training follows documented rules."""

from __future__ import annotations

import numpy as np
import pytest

from leuko.errors import UnusableInput
from leuko.exploration.facts import Case
from leuko.exploration.measure import measure
from leuko.exploration.suggest import Suggestion, suggestion
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.training.losses import LABEL_LOSSES


def volume(shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> Image:
    values = np.arange(np.prod(shape), dtype=np.float32).reshape(shape) + 1
    return Image(values, Grid.from_spacing(shape, spacing))


def masked(image: Image, *, voxels: int) -> Image:
    data = np.zeros(image.grid.shape, np.uint8)
    data.reshape(-1)[:voxels] = 1
    return image.with_data(data)


def cases_of(*pairs: tuple[Image, Image | None]) -> list[Case]:
    return [
        Case(f"case{number}", f"case{number}", facts=measure([image], label=label))
        for number, (image, label) in enumerate(pairs)
    ]


def suggested(image: Image, *, voxels: int = 1000) -> Suggestion:
    return suggestion(cases_of((image, masked(image, voxels=voxels))))


def test_small_cubic_volumes_are_taken_whole_in_3d() -> None:
    found = suggested(volume((35, 51, 36), (1.0, 1.0, 1.0)))
    assert (found.dims, found.size, found.spacing) == (3, (40, 56, 40), None)


def test_thick_slices_are_taken_one_by_one_across_the_thick_axis() -> None:
    found = suggested(volume((20, 64, 48), (6.0, 1.0, 1.0)))
    assert (found.dims, found.axis) == (2, "sagittal")
    assert found.size == (48, 64)  # rows: superior, columns: anterior


def test_a_large_cubic_volume_is_taken_by_axial_slices() -> None:
    found = suggested(volume((100, 120, 110), (1.0, 1.0, 1.0)))
    assert (found.dims, found.axis, found.size) == (2, "axial", (128, 112))


def test_a_sheared_order_of_axes_suggests_the_same_as_the_canonical_one() -> None:
    image = volume((20, 64, 48), (6.0, 1.0, 1.0))
    turned = Image(
        np.ascontiguousarray(image.data.transpose(2, 0, 1)),
        Grid((48, 20, 64), image.grid.affine[:, [2, 0, 1, 3]]),
    )
    assert suggested(turned) == suggested(image)


def test_spacings_that_differ_give_their_median() -> None:
    images = [volume((20, 20, 20), (edge, edge, edge)) for edge in (1.0, 1.2, 2.0)]
    found = suggestion(cases_of(*((image, None) for image in images)))
    assert found.spacing == (1.2, 1.2, 1.2)


@pytest.mark.parametrize(
    ("voxels", "loss"), [(50, "balanced-dice-ce"), (5000, "dice-ce")]
)  # of 64000: 0.08 % and 8 %
def test_a_rare_foreground_is_balanced(voxels: int, loss: str) -> None:
    found = suggested(volume((40, 40, 40), (1.0, 1.0, 1.0)), voxels=voxels)
    assert found.loss == loss
    assert found.loss in LABEL_LOSSES


def test_a_ct_is_windowed_by_what_is_within_the_masks() -> None:
    image = volume((20, 20, 20), (2.0, 2.0, 2.0))
    data = np.full((20, 20, 20), -1000.0, np.float32)
    data[:, :, 10:] = np.linspace(-3, 97, 2000).reshape(20, 10, 10).repeat(2, axis=1)
    label = image.with_data((data > -500).astype(np.uint8))
    found = suggestion(cases_of((image.with_data(data), label)))
    assert (found.intensity, found.window) == ("window", (-10.0, 100.0))


def test_pictures_suggest_2d_and_grey_levels_from_0_to_1() -> None:
    grid = Grid((100, 60, 1), np.eye(4), oriented=False, sized=False)
    image = Image(np.arange(6000, dtype=np.float64).astype(np.uint8).reshape(100, 60, 1), grid)
    found = suggestion(cases_of((image, None)))
    assert (found.dims, found.intensity, found.spacing) == (2, "unit", None)
    assert found.size == (64, 112)  # rows, columns


def test_classes_keep_the_values_of_the_masks() -> None:
    image = volume((10, 10, 10), (1.0, 1.0, 1.0))
    label = image.with_data((masked(image, voxels=100).data * 255).astype(np.uint8))
    found = suggestion(cases_of((image, label)), names={255: "tumour"})
    assert (found.classes, found.values) == (("background", "tumour"), (0, 255))


def test_categories_without_masks_suggest_classification() -> None:
    image = volume((10, 10, 10), (1.0, 1.0, 1.0))
    cases = [Case(name, name, category=name, facts=measure([image])) for name in ("ill", "healthy")]
    found = suggestion(cases)
    assert (found.task, found.classes, found.loss) == (
        "classification",
        ("healthy", "ill"),
        "cross-entropy",
    )


def test_a_data_set_that_cannot_be_read_suggests_nothing() -> None:
    with pytest.raises(UnusableInput, match="No case"):
        suggestion([Case("a", "a", problem="broken")])
