"""Optimisers by name and schedules of the learning rate."""

from __future__ import annotations

import math

import msgspec
import pytest

from leuko.errors import UsageError
from leuko.training.recipe import Optimisation, parse_recipe
from leuko.training.schedule import SCHEDULES, learning_rate

torch = pytest.importorskip("torch", reason="needs the train extra (torch)")

from leuko.training import optimisers  # noqa: E402
from leuko.training.fitting import precision_of  # noqa: E402


def network() -> torch.nn.Sequential:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Conv2d(1, 2, 1), torch.nn.BatchNorm2d(2))


def test_every_optimiser_decays_weights_only() -> None:
    for name in optimisers.OPTIMISERS:
        net = network()
        groups = optimisers.build(name, net.parameters(), lr=0.1, weight_decay=0.01).param_groups
        assert [g["weight_decay"] for g in groups] == [0.01, 0.0]
        assert [id(p) for p in groups[0]["params"]] == [id(net[0].weight)]
        assert len(groups[1]["params"]) == 3


def test_frozen_parameters_are_left_out() -> None:
    net = network()
    net[0].weight.requires_grad_(False)
    groups = optimisers.build("adamw", net.parameters(), lr=0.1).param_groups
    assert [len(g["params"]) for g in groups] == [0, 3]


def test_first_steps_are_those_done_by_hand() -> None:
    # One weight of 1 (2 axes), gradient 0.5, lr 0.1, weight decay 0.2, momentum 0.9.
    after = {}
    for name in optimisers.OPTIMISERS:
        weight = torch.nn.Parameter(torch.ones(1, 1))
        optimiser = optimisers.build(name, [weight], lr=0.1, weight_decay=0.2)
        weight.grad = torch.full((1, 1), 0.5)
        optimiser.step()
        after[name] = weight.item()
    assert after == pytest.approx(
        {
            "adamw": 1.0 * (1 - 0.1 * 0.2) - 0.1,  # Adam's first step has the length lr
            "adam": 1.0 - 0.1,
            "sgd": 1.0 - 0.1 * (0.7 + 0.9 * 0.7),  # Nesterov: gradient plus momentum's share
            "rmsprop": 1.0 - 0.1 * 0.7 / math.sqrt(0.01 * 0.7**2),
        },
        abs=1e-5,
    )


def test_momentum_is_the_first_beta_of_adam_and_0_makes_plain_descent() -> None:
    groups = optimisers.build("adamw", network().parameters(), lr=0.1, momentum=0.8).param_groups
    assert groups[0]["betas"] == (0.8, 0.999)
    plain = optimisers.build("sgd", network().parameters(), lr=0.1, momentum=0.0).param_groups
    assert plain[0]["nesterov"] is False


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UsageError, match="lion"):
        optimisers.build("lion", network().parameters(), lr=0.1)
    for field in ("optimiser: lion", "schedule: cyclic", "momentum: 1.0"):
        with pytest.raises(UsageError, match=field.split(":")[0]):
            parse_recipe(f"name: a\ndata: {{labelmaps: [x]}}\noptimisation: {{{field}}}")


def rates(schedule: str, *, final: float) -> list[float]:
    plan = msgspec.convert(
        {"lr": 2.0, "warmup_steps": 0, "final_lr": final, "schedule": schedule}, Optimisation
    )
    return [learning_rate(plan, step=9, done=d) for d in (0.0, 0.25, 0.5, 0.75, 1.0)]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [2.0, 2.0, 2.0, 2.0, 2.0]),
        ("exponential", [2.0, 2.0 * 0.01**0.25, 0.2, 2.0 * 0.01**0.75, 0.02]),
        ("step", [2.0, 2.0, 0.2, 0.02, 0.02]),
        ("poly", [2 * (0.01 + 0.99 * (1 - d) ** 0.9) for d in (0, 0.25, 0.5, 0.75, 1)]),
        (
            "cosine",
            [2 * (0.01 + 0.99 * (1 + math.cos(math.pi * d)) / 2) for d in (0, 0.25, 0.5, 0.75, 1)],
        ),
    ],
)
def test_the_rate_falls_as_the_schedule_says(schedule: str, expected: list[float]) -> None:
    assert rates(schedule, final=0.01) == pytest.approx(expected)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_no_schedule_rises_or_becomes_zero_before_the_end(schedule: str) -> None:
    falling = rates(schedule, final=0.0)
    assert falling == sorted(falling, reverse=True)
    assert min(falling[:-1]) > 0.0


def test_the_warm_up_precedes_every_schedule() -> None:
    for schedule in SCHEDULES:
        plan = msgspec.convert({"lr": 1.0, "warmup_steps": 3, "schedule": schedule}, Optimisation)
        rising = [learning_rate(plan, step=s, done=0.0) for s in range(5)]
        assert rising == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0])


def test_an_old_recipe_gives_adamw_and_a_cosine() -> None:
    plan = parse_recipe("name: a\ndata: {labelmaps: [x]}").optimisation
    assert (plan.optimiser, plan.schedule, plan.momentum) == ("adamw", "cosine", 0.9)


def test_half_precision_without_a_gpu_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = Optimisation(precision="f16")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="GPU"):
        precision_of(plan)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert precision_of(plan) == "16-mixed"
