"""What is said of weights on held-out scans follows from their figures."""

from __future__ import annotations

import math

import pytest

from leuko.pipelines.held_out import CHALLENGE, Scored, difference


def scored(name: str, dice: float, *, white: float | None = 500.0, fluid: float = 40.0) -> Scored:
    values = dict.fromkeys(CHALLENGE, 1.0) | {"dice": dice}
    tissues = {"white_matter": white, "ventricles": fluid}
    return Scored(name, values, found_ml=10.0, truth_ml=11.0, tissue_ml=tissues)


@pytest.mark.parametrize(
    ("after", "verdict", "word"),
    [
        (0.72, "better", "Finetuning helped on the held-out scans: mean Dice 0.700 before, 0.720"),
        (0.705, "alike", "did NOT help"),
        (0.65, "worse", "made it WORSE"),
    ],
)
def test_a_hundredth_of_dice_decides(after: float, verdict: str, word: str) -> None:
    made = difference([scored("a", 0.7)], [scored("a", after)], title="wmh 1")
    assert made.verdict == verdict
    assert word in made.said[0]
    assert ("Stay with wmh 1" in made.said[0]) == (verdict != "better")


def test_the_scans_that_rose_and_the_metrics_that_improved_are_counted() -> None:
    before = [scored("a", 0.5), scored("b", 0.7)]
    after = [scored("a", 0.8), scored("b", 0.6)]
    made = difference(before, after, title="wmh 1")
    assert "it rose in 1 of 2 scans" in made.said[0]
    assert made.said[1] == "Of the five metrics 1 improved: Dice."
    assert made.means["dice"] == pytest.approx((0.6, 0.7))


@pytest.mark.parametrize(
    ("fluid", "word"), [(41.0, "held"), (37.0, "shifted a little"), (45.0, "MOVED")]
)
def test_the_anatomy_is_judged_by_its_largest_change(fluid: float, word: str) -> None:
    made = difference(
        [scored("a", 0.7), scored("b", 0.7)],
        [scored("a", 0.7, fluid=fluid), scored("b", 0.7, fluid=40.1)],
        title="wmh 1",
    )
    assert made.moved["ventricles"] == pytest.approx(100 * (fluid / 40 - 1))
    assert made.moved["white_matter"] == 0.0
    assert f"The anatomy {word}" in made.said[-1]


def test_what_cannot_be_measured_is_left_out_of_means_and_is_none_in_json() -> None:
    before = [scored("a", 0.7), scored("b", 0.7, white=None)]
    tissues = {"white_matter": None, "ventricles": 40.0}
    lost = Scored("b", dict.fromkeys(CHALLENGE, math.nan), 0.0, 0.0, tissues)
    made = difference(before, [scored("a", 0.8), lost], title="wmh 1")
    assert made.means["dice"] == pytest.approx((0.7, 0.8))
    assert made.as_json()["cases"][1]["after"]["dice"] is None
