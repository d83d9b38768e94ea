"""Losses on integer labels against sums done by hand, in 2D, 3D and for classification."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from leuko.errors import UsageError
from leuko.training import losses

torch = pytest.importorskip("torch", reason="needs the train extra (torch)")

from leuko.training.label_losses_shape import blobs, signed_distance  # noqa: E402

SUM = {"parts": [{"name": "dice"}, {"name": "boundary", "weight": 0.1}]}
OPTIONS: dict[str, dict[str, Any]] = {
    "balanced-ce": {"beta": 0.9},
    "balanced-dice-ce": {"beta": 0.9},
    "sum": SUM,
}
SHAPED = ("boundary", "blob-dice", "sum")  # voxels cannot be shuffled
CLASSIFYING = ("cross-entropy", "balanced-ce", "focal", "top-k")


def objective(name: str, **options: Any) -> losses.Objective:
    return losses.build(name, options or OPTIONS.get(name), target="labels")


def value(name: str, logits: Any, labels: Any, **options: Any) -> float:
    return float(objective(name, **options)(logits, labels)["loss"])


def logits_of(*foreground: float) -> torch.Tensor:
    """Logits (1, 2, 1, n) whose softmax gives class 1 these probabilities."""
    p = torch.tensor(foreground)
    return torch.stack([(1 - p).log(), p.log()])[None, :, None, :]


def line(*labels: int) -> torch.Tensor:
    """Labels (1, 1, n)."""
    return torch.tensor([[list(labels)]])


def test_cross_entropy_is_the_mean_of_minus_log_p() -> None:
    logits = logits_of(0.25, 0.5)
    assert value("cross-entropy", logits, line(1, 1)) == pytest.approx(1.5 * math.log(2))


def test_class_weights_weigh_voxels() -> None:
    logits = logits_of(0.25, 0.5)  # true classes: 0.75 and 0.5
    expected = (1 * -math.log(0.75) + 3 * math.log(2)) / 4
    assert value("cross-entropy", logits, line(0, 1), weights=[1, 3]) == pytest.approx(expected)


def test_smoothing_spreads_a_share_of_the_truth_evenly() -> None:
    expected = -0.9 * math.log(0.8) - 0.1 * (math.log(0.8) + math.log(0.2)) / 2
    found = value("cross-entropy", logits_of(0.8), line(1), smoothing=0.1)
    assert found == pytest.approx(expected)


def test_balanced_cross_entropy_weighs_foreground_by_the_share_of_background() -> None:
    # As in the paper: -beta log p on foreground, -(1 - beta) log(1 - p) on background.
    expected = (0.975 * math.log(2) - 0.025 * math.log(0.8)) / 2
    found = value("balanced-ce", logits_of(0.5, 0.2), line(1, 0), beta=0.975)
    assert found == pytest.approx(expected)
    rescaled = value("balanced-ce", logits_of(0.5, 0.2), line(1, 0), beta=0.975, rescale=True)
    assert rescaled == pytest.approx(expected / (2 * 0.975 * 0.025))


def test_shares_of_two_classes_are_the_same_as_beta() -> None:
    logits, labels = logits_of(0.5, 0.2, 0.7), line(1, 0, 0)
    for rescale in (False, True):
        by_share = value("balanced-ce", logits, labels, shares=[0.9, 0.1], rescale=rescale)
        by_beta = value("balanced-ce", logits, labels, beta=0.9, rescale=rescale)
        assert by_share == pytest.approx(by_beta)


def test_balance_of_three_classes() -> None:
    logits = torch.zeros(1, 3, 1, 3)  # p is 1/3 everywhere
    labels = line(0, 1, 2)
    found = value("balanced-ce", logits, labels, shares=[0.8, 0.15, 0.05])
    assert found == pytest.approx(math.log(3) * (0.1 + 0.425 + 0.475) / 3)
    found = value("balanced-ce", logits, labels, beta=0.8)
    assert found == pytest.approx(math.log(3) * (0.2 + 0.8 + 0.8) / 3)


def test_a_network_that_knows_nothing_starts_where_plain_cross_entropy_does_when_rescaled() -> None:
    labels = line(*[0] * 9, 1)  # as the training set: 90 % background
    found = value("balanced-ce", logits_of(*[0.5] * 10), labels, beta=0.9, rescale=True)
    assert found == pytest.approx(math.log(2))


def test_dice_by_hand() -> None:
    # hits 0.9, found 0.9 + 0.3, true 2, of which one is missed (p 0.0 -> 1e-9).
    logits = logits_of(0.9, 0.3, 1e-9)
    assert value("dice", logits, line(1, 0, 1), smooth=0.5) == pytest.approx(
        1 - (1.8 + 0.5) / (1.2 + 2 + 0.5), rel=1e-5
    )
    background = (2 * 0.7 + 0.5) / (0.1 + 0.7 + 1 + 1 + 0.5)
    assert value("dice", logits, line(1, 0, 1), smooth=0.5, background=True) == pytest.approx(
        1 - (2.3 / 3.7 + background) / 2, rel=1e-5
    )


def test_dice_of_samples_is_a_mean_and_that_of_a_batch_one_ratio() -> None:
    logits = torch.cat([logits_of(0.8, 0.2), logits_of(0.4, 0.1)])
    labels = torch.cat([line(1, 0), line(1, 1)])
    first, second = 1.6 / 2.0, 1.0 / 2.5
    assert value("dice", logits, labels, smooth=1e-9) == pytest.approx(1 - (first + second) / 2)
    assert value("dice", logits, labels, smooth=1e-9, batch=True) == pytest.approx(1 - 2.6 / 4.5)


def test_dice_ce_is_the_sum_of_both() -> None:
    logits, labels = logits_of(0.9, 0.3, 0.4), line(1, 0, 1)
    dice, entropy = value("dice", logits, labels), value("cross-entropy", logits, labels)
    assert value("dice-ce", logits, labels) == pytest.approx(dice + entropy)
    found = value("dice-ce", logits, labels, dice=0.5, entropy=2.0)
    assert found == pytest.approx(0.5 * dice + 2 * entropy)
    balanced = value("balanced-ce", logits, labels, beta=0.7, rescale=True)
    assert value("balanced-dice-ce", logits, labels, beta=0.7) == pytest.approx(dice + balanced)


def test_focal_by_hand() -> None:
    expected = (0.2**2 * -math.log(0.8) + 0.5**2 * math.log(2)) / 2
    assert value("focal", logits_of(0.8, 0.5), line(1, 0)) == pytest.approx(expected)
    plain = value("cross-entropy", logits_of(0.8, 0.5), line(1, 0))
    assert value("focal", logits_of(0.8, 0.5), line(1, 0), gamma=0.0) == pytest.approx(plain)


def test_tversky_by_hand() -> None:
    # hits 0.9, missed 0.1 + 0.6, in excess 0.3.
    index = 0.9 + 0.4
    expected = 1 - index / (index + 0.7 * 0.7 + 0.3 * 0.3)
    logits, labels = logits_of(0.9, 0.3, 0.4), line(1, 0, 1)
    assert value("tversky", logits, labels, smooth=1e-9) == pytest.approx(expected)
    focal = value("focal-tversky", logits, labels, smooth=1e-9)
    assert focal == pytest.approx(expected**0.75)
    half = value("tversky", logits, labels, miss=0.5, excess=0.5, smooth=0.5)
    assert half == pytest.approx(value("dice", logits, labels, smooth=1.0))


def test_generalised_dice_by_hand() -> None:
    # Truth: 3 voxels of background and 1 of foreground: they weigh 1/9 and 1.
    logits, labels = logits_of(0.6, 0.2, 0.1, 0.0001), line(1, 0, 0, 0)
    hit = 0.6 + (0.8 + 0.9 + 0.9999) / 9
    total = (0.9001 + 1) + (3.0999 + 3) / 9
    found = value("generalised-dice", logits, labels, smooth=1e-9)
    assert found == pytest.approx(1 - 2 * hit / total, rel=1e-5)


def test_top_k_takes_the_worst_voxels() -> None:
    logits = logits_of(0.9, 0.5, 0.8, 0.2)
    found = value("top-k", logits, line(1, 1, 1, 1), share=0.5)
    assert found == pytest.approx((math.log(2) - math.log(0.2)) / 2)


def test_signed_distances_are_below_zero_inside() -> None:
    inside = np.array([[False, True, True, False, False]])
    assert signed_distance(inside).tolist() == [[0.5, -0.5, -0.5, 0.5, 1.5]]
    scaled = signed_distance(inside, spacing=(4.0, 2.0))
    assert scaled.tolist() == [[1.0, -1.0, -1.0, 1.0, 3.0]]
    assert signed_distance(np.zeros((1, 3), dtype=bool)).tolist() == [[0.0, 0.0, 0.0]]


def test_boundary_by_hand() -> None:
    # What is wrong, times how far from the boundary it is.
    wrong = [(0.1, 0.5), (0.8 - 1, -0.5), (0.6 - 1, -0.5), (0.3, 0.5), (0.2, 1.5)]
    found = value("boundary", logits_of(0.1, 0.8, 0.6, 0.3, 0.2), line(0, 1, 1, 0, 0))
    assert found == pytest.approx(sum(a * b for a, b in wrong) / 5)


def test_boundary_costs_more_far_away() -> None:
    labels = line(1, 1, 0, 0, 0, 0)
    near = value("boundary", logits_of(0.9, 0.9, 0.9, 0.1, 0.1, 0.1), labels)
    far = value("boundary", logits_of(0.9, 0.9, 0.1, 0.1, 0.1, 0.9), labels)
    assert far > near


def test_every_blob_counts_alike() -> None:
    # Blobs of 1 and of 3 voxels; 0.2 lies outside both.
    logits, labels = logits_of(0.3, 0.2, 0.9, 0.9, 0.6), line(1, 0, 1, 1, 1)
    small = 2 * 0.3 / (0.3 + 0.2 + 1)
    large = 2 * 2.4 / (2.4 + 0.2 + 3)
    whole = 2 * 2.7 / (2.7 + 0.2 + 4)
    only = value("blob-dice", logits, labels, whole=0.0, smooth=1e-9)
    assert only == pytest.approx(1 - (small + large) / 2)
    both = value("blob-dice", logits, labels, smooth=1e-9)
    assert both == pytest.approx((2 * (1 - whole) + only) / 3)


def test_a_blob_that_is_missed_costs_as_much_as_any_other() -> None:
    labels = torch.zeros(1, 12, 12, dtype=torch.int64)
    labels[0, 1, 1] = 1
    labels[0, 4:10, 4:10] = 1
    found = torch.nn.functional.one_hot(labels, 2).movedim(-1, 1).float()
    without = found.clone()
    without[0, :, 1, 1] = torch.tensor([1.0, 0.0])
    lost = value("blob-dice", 30 * without, labels, whole=0.0, smooth=1e-6)
    assert lost == pytest.approx(0.5, abs=1e-3)
    assert value("dice", 30 * without, labels, smooth=1e-6) < 0.02


def test_blobs_touch_at_corners_too() -> None:
    assert blobs(np.eye(3, dtype=bool))[1] == 1


def test_a_sum_adds_its_weighted_parts_and_tells_them() -> None:
    logits, labels = logits_of(0.1, 0.8, 0.6), line(0, 1, 1)
    dice, distance = value("dice", logits, labels), value("boundary", logits, labels)
    found = objective("sum", **SUM)(logits, labels)
    assert {k: float(v) for k, v in found.items()} == pytest.approx(
        {"loss": dice + 0.1 * distance, "dice": dice, "boundary": distance}
    )


def example(*shape: int, classes: int = 3, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn((2, classes, *shape), generator=generator)
    return logits, torch.randint(0, classes, (2, *shape), generator=generator)


@pytest.mark.parametrize("name", losses.LABEL_LOSSES)
def test_the_right_answer_costs_nothing_and_every_other_more(name: str) -> None:
    labels = torch.zeros(2, 10, 12, dtype=torch.int64)
    labels[:, 2:6, 2:7] = 1
    labels[0, 7:9, 3:5] = 2
    right = 40.0 * torch.nn.functional.one_hot(labels, 3).movedim(-1, 1).float()
    least = value(name, right, labels)
    assert abs(least) < 1e-3
    for other in (right.roll(1, 3), right.roll(1, 1), 0 * right, 0.05 * right):
        assert value(name, other, labels) > least + 0.01


@pytest.mark.parametrize("name", losses.LABEL_LOSSES)
@pytest.mark.parametrize("shape", [(6, 8), (4, 5, 6)])
def test_gradients_are_finite_whatever_the_truth(name: str, shape: tuple[int, ...]) -> None:
    logits, labels = example(*shape)
    extreme = torch.zeros_like(logits)
    extreme[:, 1] = 500.0
    truths = [labels, 0 * labels, 0 * labels + 1, 0 * labels - 1]
    for given in (logits, extreme):
        for truth in truths:
            start = given.clone().requires_grad_()
            loss = objective(name)(start, truth)["loss"]
            loss.backward()
            assert torch.isfinite(loss)
            assert start.grad is not None
            assert torch.isfinite(start.grad).all()


@pytest.mark.parametrize("name", [n for n in losses.LABEL_LOSSES if n != "boundary"])
def test_without_foreground_wrongly_found_foreground_is_still_pushed_down(name: str) -> None:
    logits = torch.zeros(1, 2, 5, 6, requires_grad=True)
    objective(name)(logits, torch.zeros(1, 5, 6, dtype=torch.int64))["loss"].backward()
    assert logits.grad is not None
    assert float(logits.grad[:, 1].sum()) > 0.0


@pytest.mark.parametrize("name", losses.LABEL_LOSSES)
def test_voxels_without_a_label_have_no_gradient(name: str) -> None:
    logits, labels = example(6, 8)
    labels[:, 2:4] = -1
    logits.requires_grad_()
    objective(name)(logits, labels)["loss"].backward()
    assert logits.grad is not None
    assert float(logits.grad[:, :, 2:4].abs().max()) == 0.0
    assert float(logits.grad.abs().max()) > 0.0


@pytest.mark.parametrize("name", losses.LABEL_LOSSES)
def test_mirroring_image_and_truth_changes_nothing(name: str) -> None:
    logits, labels = example(6, 8)
    mirrored = value(name, logits.flip(3), labels.flip(2))
    assert mirrored == pytest.approx(value(name, logits, labels), rel=1e-5)


@pytest.mark.parametrize("name", [n for n in losses.LABEL_LOSSES if n not in SHAPED])
def test_the_order_of_voxels_and_the_number_of_axes_do_not_matter(name: str) -> None:
    logits, labels = example(6, 8)
    order = torch.randperm(48, generator=torch.Generator().manual_seed(1))
    shuffled = logits.flatten(2)[..., order].view(2, 3, 4, 3, 4)
    truth = labels.flatten(1)[..., order].view(2, 4, 3, 4)
    assert value(name, shuffled, truth) == pytest.approx(value(name, logits, labels), rel=1e-5)


@pytest.mark.parametrize("name", losses.LABEL_LOSSES)
def test_any_integer_type_of_label_and_any_number_of_classes(name: str) -> None:
    for classes in (2, 5):
        logits, labels = example(4, 4, classes=classes)
        found = value(name, logits, labels.to(torch.int16))
        assert found == value(name, logits, labels)


@pytest.mark.parametrize("name", CLASSIFYING)
def test_classification_is_segmentation_of_one_voxel(name: str) -> None:
    logits, labels = example(1, 1, seed=2)
    whole = value(name, logits[..., 0, 0], labels[..., 0, 0])
    assert whole == pytest.approx(value(name, logits, labels))


@pytest.mark.parametrize("name", [n for n in losses.LABEL_LOSSES if n not in CLASSIFYING])
def test_losses_of_overlap_and_shape_refuse_classification(name: str) -> None:
    with pytest.raises(UsageError, match="segmentation"):
        value(name, torch.zeros(2, 3), torch.zeros(2, dtype=torch.int64))


@pytest.mark.parametrize(
    ("name", "options", "named"),
    [
        ("hinge", {}, "hinge"),
        ("dice", {"smoth": 1.0}, "smoth"),
        ("dice", {"smooth": "much"}, "smooth"),
        ("dice", {"smooth": 0.0}, "smooth"),
        ("top-k", {"share": 0.0}, "share"),
        ("balanced-ce", {}, "beta"),
        ("balanced-ce", {"beta": 0.9, "shares": [0.9, 0.1]}, "shares"),
        ("balanced-ce", {"beta": 97.5}, "beta"),
        ("sum", {}, "parts"),
        ("sum", {"parts": []}, "parts"),
        ("sum", {"parts": [{"name": "sum"}]}, "sum"),
        ("sum", {"parts": [{"name": "hinge"}]}, "hinge"),
        ("sum", {"parts": [{"name": "dice", "options": {"smoth": 1}}]}, "smoth"),
        ("sum", {"parts": [{"name": "dice", "share": 1}]}, "share"),
    ],
)
def test_wrong_names_and_options_are_refused(name: str, options: Any, named: str) -> None:
    with pytest.raises(UsageError, match=named):
        losses.build(name, options, target="labels")


def test_labels_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UsageError, match="do not fit"):
        value("dice", torch.zeros(1, 2, 3, 3), torch.zeros(1, 3, 4, dtype=torch.int64))
    with pytest.raises(UsageError, match="from 0 to 2"):
        value("dice", logits_of(0.5, 0.5), line(0, 2))
    with pytest.raises(UsageError, match="weights"):
        value("cross-entropy", logits_of(0.5), line(1), weights=[1, 2, 3])
    with pytest.raises(UsageError, match="shares"):
        value("balanced-ce", logits_of(0.5), line(1), shares=[0.5, 0.3, 0.2])
    with pytest.raises(UsageError, match="spacings"):
        value("boundary", logits_of(0.5), line(1), spacing=[1, 1, 1])


def test_beta_is_the_mean_share_of_background_over_images() -> None:
    first = np.array([[0, 0, 0, 1]])  # 0.75
    second = np.array([[[0, 2], [-1, -1]]])  # 0.5 of what is labelled
    assert losses.background_share([first, second]) == pytest.approx(0.625)
    assert losses.background_share(iter([first])) == 0.75
    shares = losses.class_shares([first, second], classes=3)
    assert shares == pytest.approx((0.625, 0.125, 0.25))
    with pytest.raises(UsageError, match="no labels"):
        losses.background_share([])


def test_beta_is_put_in_where_it_is_taken_and_not_given() -> None:
    assert losses.with_beta("dice", {"smooth": 2.0}, beta=0.9) == {"smooth": 2.0}
    assert losses.with_beta("balanced-ce", None, beta=0.9) == {"beta": 0.9}
    assert losses.with_beta("balanced-ce", {"beta": 0.5}, beta=0.9) == {"beta": 0.5}
    assert losses.with_beta("balanced-ce", {"shares": [1]}, beta=0.9) == {"shares": [1]}
    parts = {"parts": [{"name": "balanced-ce", "weight": 2.0}, {"name": "dice"}]}
    assert losses.takes_shares("sum", parts)
    filled = losses.with_beta("sum", parts, beta=0.9)
    assert filled["parts"][0] == {"name": "balanced-ce", "weight": 2.0, "options": {"beta": 0.9}}
    assert not losses.takes_shares("sum", filled)
    assert math.isfinite(value("sum", logits_of(0.5), line(1), **filled))


def test_the_registry_loads_no_torch() -> None:
    code = "import leuko.training.losses, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
