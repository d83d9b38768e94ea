"""Augmentation: what each change does to images and labels, and that it can be replayed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leuko.errors import UsageError

torch = pytest.importorskip("torch", reason="needs the train extra (torch)")

from leuko.training.supervised.augment import (  # noqa: E402
    NONE,
    AugmentPlan,
    Box,
    Change,
    apply,
    draw,
)

STRONG = AugmentPlan(
    rotation_deg=40.0, elastic=2.0, intensity_share=1.0, quality_share=1.0, cut=0.4, cut_share=1.0
)
SHAPES = {2: (24, 31), 3: (9, 14, 11)}


def image(*shape: int, channels: int = 2, seed: int = 0) -> torch.Tensor:
    """z-scores."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn((channels, *shape), generator=generator)


def labels(*shape: int, values: tuple[int, ...] = (0, 1, 7)) -> torch.Tensor:
    drawn = np.random.default_rng(3).choice(values, size=shape)
    return torch.from_numpy(drawn.astype(np.int16))


def quarter_turn(dims: int, a: int, b: int) -> tuple[tuple[float, ...], ...]:
    matrix = np.eye(dims)
    matrix[a, a] = matrix[b, b] = 0.0
    matrix[a, b], matrix[b, a] = 1.0, -1.0
    return tuple(tuple(float(v) for v in row) for row in matrix)


@pytest.mark.parametrize("dims", [2, 3])
def test_strengths_of_zero_change_nothing(dims: int) -> None:
    x, y = image(*SHAPES[dims]), labels(*SHAPES[dims])
    for seed in range(5):
        change = draw(np.random.default_rng(seed), NONE, dims=dims, mirror_axes=range(dims))
        changed, drawn = apply(x, y, change)
        assert torch.equal(changed, x)
        assert torch.equal(drawn, y)


@pytest.mark.parametrize("dims", [2, 3])
def test_mirroring_is_the_flip_of_the_array(dims: int) -> None:
    x, y = image(*SHAPES[dims]), labels(*SHAPES[dims])
    for axis in range(dims):
        changed, drawn = apply(x, y, Change(dims, mirrored=(axis,)))
        assert torch.equal(changed, x.flip(axis + 1))
        assert torch.equal(drawn, y.flip(axis))


@pytest.mark.parametrize(("dims", "axes"), [(2, (0, 1)), (3, (1, 2)), (3, (0, 1)), (3, (0, 2))])
def test_a_quarter_turn_is_rot90(dims: int, axes: tuple[int, int]) -> None:
    x, y = image(*[8] * dims), labels(*[8] * dims)
    changed, drawn = apply(x, y, Change(dims, matrix=quarter_turn(dims, *axes)))
    assert torch.equal(drawn, torch.rot90(y, 1, axes))
    assert torch.allclose(changed, torch.rot90(x, 1, [a + 1 for a in axes]), atol=1e-5)


def test_cubic_turns_the_same_way_as_linear() -> None:
    x = image(8, 8)
    turned = Change(2, matrix=quarter_turn(2, 0, 1), interpolation="cubic")
    assert torch.allclose(apply(x, None, turned)[0], torch.rot90(x, 1, (1, 2)), atol=1e-5)


def test_a_rotation_turns_by_its_angle_and_keeps_distances_where_voxels_are_not_cubes() -> None:
    plan = AugmentPlan(scale=0.0, shear=0.0, rotation_deg=30.0, tilt_deg=30.0)
    spacing = np.array([5.0, 1.0, 0.8])
    change = draw(np.random.default_rng(4), plan, dims=3, spacing=spacing)
    in_space = np.diag(spacing) @ np.array(change.matrix) @ np.diag(1.0 / spacing)
    assert in_space @ in_space.T == pytest.approx(np.eye(3), abs=1e-6)
    assert abs(np.array(change.matrix) @ np.array(change.matrix).T - np.eye(3)).max() > 0.1


def test_a_scale_above_one_makes_things_larger() -> None:
    y = torch.zeros(41, 41, dtype=torch.int16)
    y[15:26, 15:26] = 1
    matrix = ((1 / 1.5, 0.0), (0.0, 1 / 1.5))
    _, drawn = apply(y[None].float(), y, Change(2, matrix=matrix))
    assert drawn is not None
    assert int(drawn.any(0).sum()) == pytest.approx(1.5 * 11, abs=1)


def test_image_and_label_move_together() -> None:
    y = torch.zeros(64, 64, dtype=torch.int16)
    y[20:40, 15:50] = 1
    plan = AugmentPlan(rotation_deg=30.0, shear=0.2, elastic=3.0)
    for seed in range(10):
        moved = draw(np.random.default_rng(seed), plan, dims=2, mirror_axes=(0, 1))
        only_space = Change(
            2, moved.seed, mirrored=moved.mirrored, matrix=moved.matrix, elastic=moved.elastic
        )
        changed, drawn = apply(y[None].float(), y, only_space)
        wrong = (changed[0] > 0.5) != (drawn == 1)
        assert int(wrong.sum()) <= 5  # on the edge, where linear and nearest round differently


def test_a_smooth_shift_does_not_fold_and_has_its_strength() -> None:
    rows = torch.arange(96.0)[:, None].expand(96, 96)[None].contiguous()
    shifts = []
    for seed in range(20):
        moved = apply(rows, None, Change(2, seed=seed, elastic=(2.0, 2.0)))[0][0]
        inner = moved[12:-12, 12:-12]
        assert float(inner.diff(dim=0).min()) > 0.0
        shifts.append((inner - rows[0, 12:-12, 12:-12]).flatten())
    assert float(torch.cat(shifts).std()) == pytest.approx(2.0, rel=0.2)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), dims=st.sampled_from([2, 3]))
def test_a_change_replays_bit_for_bit_and_labels_stay_in_their_set(seed: int, dims: int) -> None:
    x, y = image(*SHAPES[dims]), labels(*SHAPES[dims])
    kept, plan = x.clone(), STRONG
    change = draw(np.random.default_rng(seed), plan, dims=dims, mirror_axes=(0,))
    again = draw(np.random.default_rng(seed), plan, dims=dims, mirror_axes=(0,))
    first, drawn = apply(x, y, change)
    torch.manual_seed(seed % 7)
    second, redrawn = apply(x, y, again)
    assert change == again
    assert torch.equal(first, second)
    assert torch.equal(drawn, redrawn)
    assert torch.equal(x, kept)
    assert torch.isfinite(first).all()
    assert (first.shape, first.dtype) == (x.shape, x.dtype)
    assert (drawn.shape, drawn.dtype) == (y.shape, y.dtype)
    assert set(drawn.unique().tolist()) <= {0, 1, 7}


def test_the_global_generators_are_not_touched() -> None:
    torch.manual_seed(5)
    np.random.seed(5)
    before = torch.get_rng_state(), np.random.get_state()[2]
    apply(image(24, 31), None, draw(np.random.default_rng(0), STRONG, dims=2))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[2] == before[1]


@pytest.mark.parametrize("change", [Change(2, gamma=1.7), Change(2, gamma=0.5)])
def test_gamma_keeps_order_and_both_ends_of_negative_values_too(change: Change) -> None:
    x = image(24, 31)
    changed, _ = apply(x, None, change)
    flat, after = x.flatten(1), changed.flatten(1)
    order = flat.argsort(dim=1)
    assert bool((after.gather(1, order).diff(dim=1) >= 0).all())
    assert torch.allclose(after.amin(1), flat.amin(1))
    assert torch.allclose(after.amax(1), flat.amax(1))


def test_gamma_on_values_from_0_to_1_is_the_plain_power() -> None:
    x = torch.linspace(0.0, 1.0, 25).view(1, 5, 5)
    assert torch.allclose(apply(x, None, Change(2, gamma=2.0))[0], x**2)


def test_strengths_mean_the_same_whatever_the_scale_of_the_intensities() -> None:
    x = image(24, 31)
    change = draw(np.random.default_rng(2), STRONG, dims=2)
    changed = apply(x, None, change)[0]
    rescaled = apply(40.0 * x - 100.0, None, change)[0]
    assert torch.allclose((rescaled + 100.0) / 40.0, changed, atol=1e-3)


def test_contrast_keeps_the_mean_and_multiplies_the_spread() -> None:
    x = image(24, 31)
    changed = apply(x, None, Change(2, contrast=1.5))[0]
    assert torch.allclose(changed.mean((1, 2)), x.mean((1, 2)), atol=1e-5)
    assert torch.allclose(changed.std((1, 2)), 1.5 * x.std((1, 2)), rtol=1e-4)


def test_brightness_shifts_by_standard_deviations() -> None:
    x = 3.0 * image(24, 31)
    shift = apply(x, None, Change(2, brightness=0.5))[0] - x
    expected = 0.5 * x.std((1, 2), correction=0)
    assert torch.allclose(shift.mean((1, 2)), expected, rtol=1e-4)
    assert float(shift.std((1, 2)).max()) < 1e-5


def test_a_bias_field_is_smooth_and_spares_the_minimum() -> None:
    x = torch.ones(1, 64, 64)
    x[0, 0, 0] = -1.0
    changed = apply(x, None, Change(2, seed=3, bias=0.3))[0]
    gain = ((changed + 1.0) / 2.0)[0]
    assert float(changed[0, 0, 0]) == -1.0
    assert 0.05 < float(gain.std()) < 0.8
    assert float(gain[1:].diff(dim=0).abs().max()) < 0.06


@pytest.mark.parametrize("dims", [2, 3])
def test_noise_has_its_standard_deviation_and_is_independent_between_channels(dims: int) -> None:
    x = 5.0 * image(*{2: (90, 90), 3: (20, 20, 20)}[dims])
    added = apply(x, None, Change(dims, noise=0.2))[0] - x
    assert added.flatten(1).std(1).tolist() == pytest.approx([1.0, 1.0], rel=0.05)
    assert abs(float(torch.corrcoef(added.flatten(1))[0, 1])) < 0.05


def test_rician_noise_lifts_the_background_and_hardly_the_signal() -> None:
    x = torch.zeros(1, 64, 64)
    x[:, :, 32:] = 10.0  # standard deviation 5
    changed = apply(x, None, Change(2, noise=0.1, rician=True))[0] - x
    assert float(changed.min()) > -3.0
    assert float(changed[..., :32].mean()) == pytest.approx(0.5 * np.sqrt(np.pi / 2), rel=0.05)
    assert float(changed[..., 32:].mean()) == pytest.approx(0.5**2 / 20, abs=0.05)


@pytest.mark.parametrize(
    "change", [Change(3, blur=(1.0, 1.0, 1.0)), Change(3, coarsening=(2.0, 2.0, 2.0))]
)
def test_blur_and_coarse_voxels_take_detail_away_and_leave_ramps_alone(change: Change) -> None:
    x = image(16, 18, 20, channels=1)
    ramp = torch.arange(20.0).expand(1, 16, 18, 20).contiguous()
    assert float(apply(x, None, change)[0].std()) < 0.6 * float(x.std())
    inner = (apply(ramp, None, change)[0] - ramp)[..., 4:-4]
    assert float(inner.abs().max()) < 0.05


def test_coarse_voxels_along_one_axis_leave_the_others_sharp() -> None:
    x = torch.zeros(1, 16, 17)
    x[:, ::2] = 1.0
    assert torch.allclose(apply(x, None, Change(2, coarsening=(1.0, 3.0)))[0], x, atol=1e-5)
    assert float(apply(x, None, Change(2, coarsening=(3.0, 1.0)))[0].std()) < 0.35


def test_a_cut_box_holds_the_mean_and_the_label_stays() -> None:
    x, y = image(20, 20), labels(20, 20)
    changed, drawn = apply(x, y, Change(2, boxes=(Box((0.25, 0.5), (0.5, 0.2)),)))
    inside = torch.zeros(20, 20, dtype=torch.bool)
    inside[5:15, 10:14] = True
    assert torch.equal(changed[:, ~inside], x[:, ~inside])
    assert torch.allclose(changed[:, inside], x.mean((1, 2))[:, None].expand(2, 40))
    assert torch.equal(drawn, y)


def test_each_change_strikes_as_often_as_the_plan_says() -> None:
    plan = AugmentPlan(spatial_share=0.4, flip=0.3, intensity_share=0.6, quality_share=0.1)
    random = np.random.default_rng(0)
    drawn = [draw(random, plan, dims=2, mirror_axes=(1,)) for _ in range(2000)]
    shares = {
        0.4: [c.matrix is not None for c in drawn],
        0.3: [c.mirrored == (1,) for c in drawn],
        0.6: [c.gamma != 1.0 for c in drawn],
        0.1: [bool(c.blur) for c in drawn],
    }
    assert {k: np.mean(v) for k, v in shares.items()} == pytest.approx(
        {k: k for k in shares}, abs=0.03
    )
    assert max(abs(np.log(c.gamma)) for c in drawn) <= plan.gamma
    assert not any(c.boxes for c in drawn)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32), cut=st.floats(0.01, 1.0))
def test_boxes_lie_inside(seed: int, cut: float) -> None:
    plan = AugmentPlan(cut=cut, cut_share=1.0)
    for box in draw(np.random.default_rng(seed), plan, dims=3).boxes:
        for low, side in zip(box.low, box.side, strict=True):
            assert low >= 0.0
            assert low + side <= 1.0 + 1e-9
            assert side <= cut


def test_axes_of_one_voxel_and_constant_images_pass_through() -> None:
    change = draw(np.random.default_rng(1), STRONG, dims=3, mirror_axes=(0, 1, 2))
    changed, drawn = apply(torch.zeros(1, 1, 12, 9), labels(1, 12, 9), replace(change, boxes=()))
    assert float(changed.abs().max()) == 0.0
    assert drawn is not None
    assert drawn.shape == (1, 12, 9)


def test_wrong_dimensions_are_refused() -> None:
    with pytest.raises(UsageError, match="3D"):
        apply(image(8, 8), None, Change(3))
    with pytest.raises(UsageError, match="label"):
        apply(image(8, 8), labels(8, 9), Change(2))
    with pytest.raises(UsageError, match="Cubic"):
        draw(np.random.default_rng(0), AugmentPlan(interpolation="cubic"), dims=3)
    with pytest.raises(UsageError, match="mirrored"):
        draw(np.random.default_rng(0), NONE, dims=2, mirror_axes=(2,))
