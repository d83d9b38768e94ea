"""Recipes: what they may say, and how a wrong one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from leuko.errors import ReadError, UsageError
from leuko.training.recipe import Recipe, load_recipe, parse_recipe, parse_yaml, read_text
from leuko.training.schedule import averaging, learning_rate, progress
from leuko.training.supervised.recipe import is_task, load_task

SMALL = "name: a\ndata: {labelmaps: [x.nii.gz]}\n"


def test_the_repositorys_recipes_are_valid(repository: Path) -> None:
    found = sorted((repository / "recipes").glob("*.yaml"))
    assert found
    for path in found:
        task = is_task(parse_yaml(read_text(path), data=Path("/data"), name=path.name))
        load = load_task if task else load_recipe
        assert load(path, data=Path("/data")).name


def test_the_data_folder_is_put_in_everywhere() -> None:
    recipe = parse_recipe(
        "name: a\ndata:\n  labelmaps: ['${DATA}/h.nii.gz']\n  real_share: 0.4\n"
        "  cases: [{flair: '${DATA}/f.nii.gz', lesions: '${DATA}/l.nii.gz'}]",
        data=Path("/scans"),
    )
    assert recipe.data.labelmaps == ("/scans/h.nii.gz",)
    assert recipe.data.cases[0].lesions == "/scans/l.nii.gz"
    assert recipe.data.cases[0].caps is None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (SMALL + "colour: red", "colour"),
        (SMALL + "optimisation: {learning_rate: 1}", "learning_rate"),
        (SMALL + "optimisation: {steps: 0}", "steps"),
        (SMALL + "optimisation: {lr: fast}", "lr"),
        (SMALL + "optimisation: {precision: f64}", "precision"),
        ("name: a\ndata: {labelmaps: [x], real_share: 1.5}", "real_share"),
        ("name: a\ndata: {labelmaps: [x], real_share: 0.5}", "cases"),
        ("name: a", "labelmaps"),
        ("name: ../a\ndata: {labelmaps: [x]}", "folder"),
        ("name: a\ndata: {labelmaps: [x], crop: [100, 192]}", "crop"),
        ("name: a\ndata: {labelmaps: ['${DATA}/x']}", "DATA"),
        ("name: [", "YAML"),
        ("just text", "recipe"),
    ],
)
def test_a_wrong_recipe_is_refused_and_names_the_field(text: str, named: str) -> None:
    with pytest.raises(UsageError, match=named):
        parse_recipe(text)


def test_an_absent_recipe_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"no\.yaml"):
        load_recipe(tmp_path / "no.yaml")


def schedule(**fields: object) -> Recipe:
    options = ", ".join(f"{k}: {v}" for k, v in fields.items())
    return parse_recipe(SMALL + f"optimisation: {{{options}}}")


def test_the_run_ends_by_steps_or_by_time_whichever_is_first() -> None:
    plan = schedule(steps=100, minutes=2).optimisation
    assert progress(plan, step=50, seconds=6.0) == pytest.approx(0.5)
    assert progress(plan, step=50, seconds=90.0) == pytest.approx(0.75)
    assert progress(plan, step=10, seconds=200.0) == 1.0


def test_the_learning_rate_rises_then_falls_along_a_cosine() -> None:
    plan = schedule(steps=100, lr=1.0, warmup_steps=9, final_lr=0.1).optimisation
    assert learning_rate(plan, step=0, done=0.0) == pytest.approx(0.1)
    assert learning_rate(plan, step=9, done=0.0) == pytest.approx(1.0)
    assert learning_rate(plan, step=50, done=0.5) == pytest.approx(0.55)
    assert learning_rate(plan, step=100, done=1.0) == pytest.approx(0.1)


def test_the_average_forgets_early_weights() -> None:
    plan = schedule(ema_decay=0.99).optimisation
    assert averaging(plan, step=0) == pytest.approx(0.1)
    assert averaging(plan, step=10_000) == 0.99
