"""Losses against sums done by hand, with truth known in full and in part."""

from __future__ import annotations

import math

import pytest

from leuko.errors import UsageError
from leuko.models.classes import CLASS_COUNT, Tissue
from leuko.training import losses

torch = pytest.importorskip("torch", reason="needs the train extra (torch)")

from leuko.training.objectives import (  # noqa: E402
    LesionDice,
    MarginalCrossEntropy,
    marginal_log_probability,
    membership,
)

ALL = (1 << CLASS_COUNT) - 1
LESION = 1 << Tissue.LESION
CAP = 1 << Tissue.CAP_RIM
WHITE = 1 << Tissue.WHITE_MATTER


def logits_of(*rows: dict[int, float]) -> torch.Tensor:
    """Logits (1, C, 1, n) whose softmax gives each pixel's probabilities; the rest share evenly."""
    pixels = []
    for given in rows:
        rest = (1.0 - sum(given.values())) / (CLASS_COUNT - len(given))
        pixels.append([given.get(c, rest) for c in range(CLASS_COUNT)])
    return torch.tensor(pixels).T.log()[None, :, None, :]


def mask(*bits: int) -> torch.Tensor:
    """`allowed` (1, 1, n)."""
    return torch.tensor([[list(bits)]], dtype=torch.int16)


def test_one_possible_class_is_plain_cross_entropy() -> None:
    logits = logits_of({Tissue.WHITE_MATTER: 0.25})
    loss = MarginalCrossEntropy()(logits, mask(WHITE))["loss"]
    assert float(loss) == pytest.approx(-math.log(0.25))


def test_several_possible_classes_add_their_probabilities() -> None:
    logits = logits_of({Tissue.LESION: 0.3, Tissue.CAP_RIM: 0.1})
    log_p = torch.log_softmax(logits, 1)
    values = marginal_log_probability(log_p, mask(LESION | CAP)).exp()
    assert values.item() == pytest.approx(0.4, rel=1e-5)
    values = marginal_log_probability(log_p, mask(ALL & ~LESION)).exp()
    assert values.item() == pytest.approx(0.7, rel=1e-5)


def test_lesion_pixels_weigh_more_and_open_pixels_nothing() -> None:
    logits = logits_of(
        {Tissue.LESION: 0.5}, {Tissue.WHITE_MATTER: 0.25}, {Tissue.WHITE_MATTER: 0.01}
    )
    loss = MarginalCrossEntropy(lesion=3.0)(logits, mask(LESION, WHITE, ALL))["loss"]
    assert float(loss) == pytest.approx((3 * math.log(2) + math.log(4)) / 4)


def test_open_pixels_have_no_gradient() -> None:
    for name in losses.LOSSES:
        logits = torch.randn(1, CLASS_COUNT, 1, 2, requires_grad=True)
        losses.build(name)(logits, mask(LESION, ALL))["loss"].backward()
        assert logits.grad is not None
        assert logits.grad[..., 1].abs().max() < 1e-6, name
        assert logits.grad[..., 0].abs().max() > 1e-4, name


def test_membership_is_known_only_where_all_or_none_of_the_possible_classes_belong() -> None:
    allowed = mask(LESION, CAP, WHITE, ALL & ~LESION, LESION | CAP, ALL)
    inside, known = membership(allowed, (Tissue.LESION,))
    assert inside.flatten().tolist() == [True, False, False, False, False, False]
    assert known.flatten().tolist() == [True, True, True, True, False, False]
    inside, known = membership(allowed, (Tissue.LESION, Tissue.CAP_RIM))
    assert inside.flatten().tolist() == [True, True, False, False, True, False]
    assert known.flatten().tolist() == [True, True, True, False, True, False]


def test_dice_by_hand_over_known_pixels() -> None:
    """Lesions .8 and .4 on truth, .2 beside, .9 where nothing is known: 2*1.2 / (1.4 + 2)."""
    logits = logits_of(*({Tissue.LESION: p, Tissue.CAP_RIM: 0.01} for p in (0.8, 0.4, 0.2, 0.9)))
    parts = LesionDice(smooth=0.0)(logits, mask(LESION, LESION, WHITE, ALL))
    assert float(parts["dice_lesion"]) == pytest.approx(2.4 / 3.4, rel=1e-5)
    # Both together: .81 and .41 on truth, .21 beside.
    assert float(parts["dice_both"]) == pytest.approx(2 * 1.22 / (1.43 + 2), rel=1e-5)


def test_a_batch_that_tells_nothing_costs_nothing() -> None:
    logits = torch.randn(1, CLASS_COUNT, 1, 3)
    for name in losses.LOSSES:
        assert float(losses.build(name)(logits, mask(ALL, ALL, ALL))["loss"]) == pytest.approx(0.0)


@pytest.mark.parametrize("name", losses.LOSSES)
def test_the_right_answer_costs_least(name: str) -> None:
    allowed = torch.full((2, 8, 8), WHITE, dtype=torch.int16)
    allowed[:, 2:5, 2:5] = LESION
    allowed[:, 6:, :] = CAP
    truth = torch.zeros(2, CLASS_COUNT, 8, 8)
    for tissue in (Tissue.WHITE_MATTER, Tissue.LESION, Tissue.CAP_RIM):
        truth[:, tissue] = (allowed == 1 << tissue).float()
    objective = losses.build(name, {"smooth": 0.0} if name in ("dice", "marginal-dice") else {})
    right = objective(20.0 * truth, allowed)["loss"]
    shifted = objective(20.0 * truth.roll(1, 1), allowed)["loss"]
    assert float(right) < 1e-3
    assert float(shifted) > 0.3


def test_unknown_losses_and_options_are_refused() -> None:
    with pytest.raises(UsageError, match="hinge"):
        losses.build("hinge")
    with pytest.raises(UsageError, match="weight"):
        losses.build("dice", {"weight": 2.0})


def test_nothing_possible_or_extreme_logits_stay_finite() -> None:
    logits = torch.full((1, CLASS_COUNT, 1, 2), 0.0)
    logits[:, 0] = 500.0
    logits.requires_grad_()
    for name in losses.LOSSES:
        loss = losses.build(name)(logits, mask(LESION, CAP))["loss"]
        loss.backward()
        assert torch.isfinite(loss)
        assert logits.grad is not None
        assert torch.isfinite(logits.grad).all()
