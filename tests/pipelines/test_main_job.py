"""From a scan to a mask with a network that goes by brightness: what the pipeline itself adds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from brightness_network import BrightnessEngine, make_card, make_head
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leuko.errors import UnusableInput, UsageError
from leuko.findings import Severity
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import Model
from leuko.pipelines.segment import segment

Array = npt.NDArray[Any]
SPACING = (2.0, 2.0, 4.0)
STEPS = [
    "check", "normalise", "resample", "predict", "restore", "threshold", "remove small lesions",
    "fill holes", "measure",
]  # fmt: skip


def test_the_lesions_that_were_drawn_are_found(head_image: Image, fake_model: Model) -> None:
    result = segment(head_image, model=fake_model)
    drawn = head_image.data > 800
    found = result.mask.data > 0
    overlap = 2 * np.count_nonzero(drawn & found) / (drawn.sum() + found.sum())
    assert overlap > 0.8
    assert result.burden.lesion_count == 4
    assert result.burden.volume_voxels == found.sum()


def test_steps_are_named_timed_and_in_order(head_image: Image, fake_model: Model) -> None:
    seen: list[tuple[str, bool]] = []
    result = segment(
        head_image,
        model=fake_model,
        watch=lambda name, seconds: seen.append((name, seconds is None)),
    )
    assert [step.name for step in result.steps] == STEPS
    assert [name for name, begins in seen if begins] == STEPS
    assert all(step.seconds >= 0 for step in result.steps)


def test_the_result_lies_on_the_grid_of_the_scan(head_image: Image, fake_model: Model) -> None:
    result = segment(head_image, config=SegmentConfig(probability=True), model=fake_model)
    assert result.probability is not None
    assert result.anatomy is not None
    for image in (result.mask, result.lesions, result.anatomy, result.probability):
        assert image.grid == head_image.grid
    assert result.mask.data.dtype == np.uint8
    assert set(np.unique(result.mask.data)) <= {0, 1}
    assert np.array_equal(result.lesions.data > 0, result.mask.data > 0)


def test_probability_is_left_out_unless_asked_for(head_image: Image, fake_model: Model) -> None:
    assert segment(head_image, model=fake_model).probability is None


def test_two_runs_are_equal(head_image: Image, fake_model: Model) -> None:
    first, second = (segment(head_image, model=fake_model) for _ in range(2))
    assert np.array_equal(first.mask.data, second.mask.data)
    assert first.table == second.table
    assert first.burden == second.burden


def flipped(image: Image, *, axes: tuple[int, ...], flips: tuple[bool, ...]) -> Image:
    """The same scan with its array axes permuted and flipped, and an affine that says so."""
    shape = np.array(image.grid.shape)[list(axes)]
    matrix = image.grid.affine[:3, :3][:, list(axes)].copy()
    origin = image.grid.affine[:3, 3].copy()
    for axis, flip in enumerate(flips):
        if flip:
            origin = origin + matrix[:, axis] * (shape[axis] - 1)
            matrix[:, axis] *= -1
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = matrix, origin
    return Image(rearranged(image.data, axes, flips), Grid(tuple(shape.tolist()), affine))


def rearranged(data: Array, axes: tuple[int, ...], flips: tuple[bool, ...]) -> Array:
    view = data.transpose(axes)
    return np.ascontiguousarray(view[tuple(slice(None, None, -1 if f else 1) for f in flips)])


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    axes=st.permutations([0, 1, 2]).map(tuple),
    flips=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    shift=st.tuples(*[st.floats(-200, 200)] * 3),
    tilt=st.floats(-0.2, 0.2),
)
def test_any_order_and_direction_of_axes_gives_exactly_the_same_mask(
    axes: tuple[int, int, int],
    flips: tuple[bool, bool, bool],
    shift: tuple[float, float, float],
    tilt: float,
) -> None:
    """A3, with a head that has no symmetry and an affine that is shifted and tilted."""
    affine = np.diag([*SPACING, 1.0])
    turn = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    affine[:3, :3] = turn @ affine[:3, :3]
    affine[:3, 3] = shift
    head = make_head((48, 56, 34))
    straight = Image(head, Grid(head.shape, affine))
    turned = flipped(straight, axes=axes, flips=flips)
    model = Model.of(make_card(), BrightnessEngine())
    expected = segment(straight, model=model)
    found = segment(turned, model=model)
    assert np.array_equal(rearranged(expected.mask.data, axes, flips), found.mask.data)
    assert np.array_equal(rearranged(expected.lesions.data, axes, flips), found.lesions.data)
    assert expected.anatomy is not None
    assert found.anatomy is not None
    assert np.array_equal(rearranged(expected.anatomy.data, axes, flips), found.anatomy.data)
    assert expected.burden.volume_ml == found.burden.volume_ml
    assert expected.burden.left_ml == found.burden.left_ml
    for one, other in zip(expected.table, found.table, strict=True):
        assert one.side == other.side
        assert np.allclose(one.centre_mm, other.centre_mm, atol=1e-6)


def test_without_orientation_no_side_is_claimed(fake_model: Model) -> None:
    head = make_head()
    grid = Grid(head.shape, np.diag([*SPACING, 1.0]), oriented=False)
    result = segment(Image(head, grid), model=fake_model)
    assert result.burden.lesion_count == 4
    assert result.burden.left_ml is None
    assert result.burden.right_ml is None


def test_no_lesion_is_zero(fake_model: Model) -> None:
    head = make_head(lesions=False)
    result = segment(Image(head, Grid(head.shape, np.diag([*SPACING, 1.0]))), model=fake_model)
    assert result.table == ()
    assert (result.burden.volume_ml, result.burden.lesion_count) == (0.0, 0)
    assert not result.mask.data.any()
    assert result.burden.white_matter_percent == 0.0


def test_small_lesions_are_removed_and_it_is_recorded(head_image: Image, fake_model: Model) -> None:
    config = SegmentConfig(min_lesion_mm3=500.0)
    result = segment(head_image, config=config, model=fake_model)
    assert 0 < result.burden.lesion_count < 4
    (step,) = (step for step in result.steps if step.name == "remove small lesions")
    assert step.details["min_lesion_mm3"] == 500.0
    assert step.details["lesions_removed"] == 4 - result.burden.lesion_count


def test_what_is_no_head_is_refused_before_the_network_runs(
    head_image: Image, make_model: Any
) -> None:
    model = make_model()
    mask = head_image.with_data((head_image.data > 800).astype(np.uint8))
    with pytest.raises(UnusableInput, match="mask"):
        segment(mask, model=model)
    assert model.engine.calls == 0


def test_lenient_refuses_nothing(head_image: Image, fake_model: Model) -> None:
    empty = head_image.with_data(np.zeros(head_image.grid.shape, np.int16))
    with pytest.raises(UnusableInput, match="empty"):
        segment(empty, model=fake_model)
    result = segment(empty, config=SegmentConfig(policy="lenient"), model=fake_model)
    assert result.burden.volume_voxels == 0
    assert "scan.empty" in [finding.code for finding in result.findings]


def test_strict_refuses_a_warning(fake_model: Model) -> None:
    head = make_head()[:, :, :20]
    image = Image(np.ascontiguousarray(head), Grid(head.shape, np.diag([*SPACING, 1.0])))
    result = segment(image, model=fake_model)
    assert any(finding.severity is Severity.WARNING for finding in result.findings)
    with pytest.raises(UnusableInput):
        segment(image, config=SegmentConfig(policy="strict"), model=fake_model)


@pytest.mark.parametrize(
    "changed",
    [{"threshold": 1.5}, {"definition": "all"}, {"min_lesion_mm3": -1.0}, {"precision": "f8"}],
)
def test_impossible_parameters_are_named(
    changed: dict[str, Any], head_image: Image, fake_model: Model
) -> None:
    with pytest.raises(UsageError, match=next(iter(changed))):
        segment(head_image, config=SegmentConfig(**changed), model=fake_model)


def test_every_parameter_is_recorded_with_the_value_that_was_used(
    head_image: Image, fake_model: Model
) -> None:
    result = segment(head_image, config=SegmentConfig(refine_level=0.7), model=fake_model)
    recorded = result.provenance.parameters
    fields = set(SegmentConfig.__struct_fields__) - {"atlas_labels"}  # part of the atlas
    assert set(recorded) == fields | {"temperature"}
    assert recorded["refine_level"] == 0.7
    assert recorded["threshold"] == fake_model.card.operating_point("vascular").threshold
    assert result.provenance.weights_sha256 == fake_model.card.sha256
    assert result.provenance.engine == "brightness"


def test_the_scan_is_not_changed(head_image: Image, fake_model: Model) -> None:
    before = head_image.data.copy()
    segment(head_image, model=fake_model)
    assert np.array_equal(before, head_image.data)


def test_a_message_names_no_folder(tmp_path: Path, fake_model: Model, head_file: Path) -> None:
    from leuko.errors import LeukoError
    from leuko.pipelines.segment import segment_file

    head_file.write_bytes(head_file.read_bytes()[:200])
    with pytest.raises(LeukoError) as refused:
        segment_file(head_file, out=tmp_path / "out", model=fake_model)
    assert str(tmp_path) not in refused.value.what + refused.value.hint
