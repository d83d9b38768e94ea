"""A balanced loss's weights taken back: probabilities as the training data have them."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from leuko.errors import UsageError  # noqa: E402
from leuko.training.supervised.prior import Probabilities, prior_offset  # noqa: E402

RECIPE = {"prior": "data", "loss": {"name": "balanced-ce", "options": {}}}


def test_the_weights_are_divided_out_again_by_hand():
    """Background 0.9: weights 0.1 and 0.9; a balanced half is a tenth in the data."""
    offset = prior_offset(RECIPE, beta=0.9, classes=2)
    logits = torch.zeros(1, 2, 3, 3)
    shares = Probabilities(torch.nn.Identity(), offset)(logits)
    torch.testing.assert_close(torch.full((1, 3, 3), 0.1), shares[:, 1])


def test_a_weighted_loss_at_its_minimum_gives_back_the_share_of_the_data():
    """One voxel in eight is lesion, and nothing tells which: the answer must be 1/8."""
    from leuko.training.losses import build

    labels = torch.tensor([[1, 0, 0, 0, 0, 0, 0, 0]])
    loss = build("balanced-ce", {"beta": 7 / 8}, target="labels")
    free = torch.zeros(1, 2, 1, requires_grad=True)
    optimiser = torch.optim.LBFGS([free], max_iter=50)

    def step():
        optimiser.zero_grad()
        value = loss(free.expand(1, 2, 8), labels)["loss"]
        value.backward()
        return float(value.detach())

    optimiser.step(step)
    logit = free.detach()
    plain = Probabilities(torch.nn.Identity())(logit)
    taken = Probabilities(torch.nn.Identity(), prior_offset(RECIPE, beta=7 / 8, classes=2))(logit)
    assert 0.5 == pytest.approx(float(plain[0, 1, 0]), abs=1e-3)
    assert 1 / 8 == pytest.approx(float(taken[0, 1, 0]), abs=1e-3)


def test_nothing_is_added_unless_asked_for():
    assert () == prior_offset({"loss": {"name": "dice", "options": {}}}, beta=0.9, classes=2)


def test_another_loss_is_refused():
    with pytest.raises(UsageError, match="balanced-ce"):
        prior_offset(
            {"prior": "data", "loss": {"name": "dice-ce", "options": {}}}, beta=0.9, classes=2
        )
