"""The loss for small lesions: by hand, and what it changes."""

from __future__ import annotations

import math

import pytest

from leuko.models.classes import CLASS_COUNT, Tissue
from leuko.training import losses

torch = pytest.importorskip("torch", reason="needs the train extra (torch)")

from leuko.training.objectives_small_lesions import lesion_counts  # noqa: E402

ALL = (1 << CLASS_COUNT) - 1
LESION = 1 << Tissue.LESION
CAP = 1 << Tissue.CAP_RIM
WHITE = 1 << Tissue.WHITE_MATTER


def slices() -> torch.Tensor:
    """A slice with lesions of 16 pixels and of 2 that touch at a corner, and a cap; a large one."""
    allowed = torch.full((2, 32, 32), WHITE, dtype=torch.int16)
    allowed[0, 2:6, 2:6] = LESION
    allowed[0, 20, 20] = allowed[0, 21, 21] = LESION
    allowed[0, 28:, :4] = CAP
    allowed[1, 2:26, 2:26] = LESION | CAP
    allowed[1, 28, 28] = ALL
    return allowed


def test_pixels_count_by_the_size_of_their_lesion_in_their_slice() -> None:
    counts = lesion_counts(slices(), pixels=64.0, power=0.5, most=8.0)
    assert counts[0, 3, 3] == pytest.approx(2.0)  # (64 / 16) ** 0.5, whatever lies in slice 1
    assert counts[0, 20, 20] == counts[0, 21, 21] == pytest.approx(math.sqrt(32.0))
    assert (counts[1] == 1.0).all()
    assert (counts[0][slices()[0] != LESION] == 1.0).all()
    assert lesion_counts(slices(), pixels=64.0, power=0.5, most=4.0).max() == 4.0


def test_without_small_lesions_it_is_the_ordinary_loss() -> None:
    allowed = slices()[1:]
    logits = torch.randn(1, CLASS_COUNT, 32, 32, generator=torch.Generator().manual_seed(1))
    ordinary = losses.build("marginal-dice")(logits, allowed)["loss"]
    assert float(losses.build("small-lesions")(logits, allowed)["loss"]) == pytest.approx(
        float(ordinary), rel=1e-6
    )


def test_missing_a_small_lesion_costs_more_than_as_many_pixels_of_a_larger_one() -> None:
    allowed = slices()
    right = torch.stack([(allowed & (1 << c) > 0).float() for c in range(CLASS_COUNT)], 1) * 8.0

    def missed(pixels: list[tuple[int, int]]) -> tuple[float, float]:
        logits = right.clone()
        for row, column in pixels:
            logits[0, Tissue.LESION, row, column] = 0.0
            logits[0, Tissue.WHITE_MATTER, row, column] = 8.0
        return tuple(float(losses.build(name)(logits, allowed)["loss"])  # type: ignore[return-value]
                     for name in ("marginal-dice", "small-lesions"))  # fmt: skip

    small, large = missed([(20, 20), (21, 21)]), missed([(2, 2), (2, 3)])
    assert small[0] == pytest.approx(large[0], rel=1e-4)
    assert small[1] > 1.8 * large[1]
