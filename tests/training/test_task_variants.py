"""Other values of a recipe's fields, folds, sweeps, and a first recipe from two folders."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")

from small_task import recipe_content, write_data

from leuko import cli
from leuko.errors import UsageError
from leuko.training.supervised.module import batches
from leuko.training.supervised.recipe import parse_task
from leuko.training.supervised.run import train_task
from leuko.training.supervised.variants import (
    fold_recipes,
    parse_settings,
    sweep_recipes,
    with_fields,
)


@pytest.fixture
def recipe(tmp_path):
    return parse_task(recipe_content(tmp_path))


def test_settings_are_read_as_yaml_and_short_names_stand_for_fields():
    found = parse_settings(
        ["size=128,96x112", "lr=1e-3,0.5", "network.name=resunet", "case.window=[-100, 200]"],
        option="--sweep",
    )
    assert found == {
        "case.size": [128, [96, 112]],
        "optimisation.lr": [1e-3, 0.5],
        "network.name": ["resunet"],
        "case.window": [[-100, 200]],
    }


@pytest.mark.parametrize("text", ["steps", "=3", "steps="])
def test_what_is_no_assignment_is_refused(text):
    with pytest.raises(UsageError, match="no assignment"):
        parse_settings([text], option="--set")


def test_other_values_take_their_place_and_a_size_of_one_number_is_square(recipe):
    changed = with_fields(recipe, {"case.size": 16, "network.width": 6, "split.test": 0.5})
    assert (16, 16) == changed.case.size
    assert 6 == changed.network["width"]
    assert 0.5 == changed.split.test
    assert (32, 32) == recipe.case.size


@pytest.mark.parametrize("field", ["case.sizes", "nothing", "network.name.x"])
def test_a_field_that_is_not_there_is_refused(recipe, field):
    with pytest.raises(UsageError, match="has no field"):
        with_fields(recipe, {field: 1})


def test_folds_differ_in_nothing_but_their_number(recipe):
    folds = fold_recipes(with_fields(recipe, {"split.folds": 3}))
    assert ["fold-0", "fold-1", "fold-2"] == list(folds)
    assert [0, 1, 2] == [one.split.fold for one in folds.values()]
    alike = [msgspec.json.encode(with_fields(one, {"split.fold": 0})) for one in folds.values()]
    assert 1 == len(set(alike))


def test_a_sweep_has_every_combination(recipe):
    made = sweep_recipes(recipe, {"case.size": [16, 32], "optimisation.lr": [0.1, 0.2]})
    assert ["sweep/16-0.1", "sweep/16-0.2", "sweep/32-0.1", "sweep/32-0.2"] == list(made)
    assert (32, 32) == made["sweep/32-0.2"][1].case.size


def test_processes_share_the_samples_of_a_step_and_none_is_left_out():
    parts = [batches(5, batch=2, world=3, rank=rank) for rank in range(3)]
    first = [next(part) for part in parts]
    second = [next(part) for part in parts]
    assert [[30, 31], [32, 33], [34, 35]] == first
    assert [[36, 37], [38, 39], [40, 41]] == second


def test_cards_that_are_not_there_are_asked_for_in_vain(recipe, tmp_path):
    with pytest.raises(UsageError, match="graphics cards") as refused:
        train_task(recipe, out=tmp_path, devices=64)
    assert "processor" in refused.value.hint


def test_two_folders_become_a_recipe_a_run_and_a_table_of_a_sweep(tmp_path, capsys):
    write_data(tmp_path, pictures=True, value=255)
    common = [
        "train", "--images", str(tmp_path / "images"), "--masks", str(tmp_path / "masks"),
        "--subject", r"(s\d)", "-o", str(tmp_path / "runs"),
        "--set", "steps=2", "--set", "network.width=4", "--set", "network.levels=3",
        "--set", "optimisation.precision=f32",
    ]  # fmt: skip
    assert 0 == cli.main([*common, "--name", "mine"])
    assert "Dice" in capsys.readouterr().out  # the reasons
    run = tmp_path / "runs" / "mine"
    assert (run / "final.pt").is_file()
    again = ["train", str(run / "recipe.yaml"), "-o", str(tmp_path / "again"), "--set", "steps=1"]
    again += ["--set", "network.width=4", "--sweep", "size=16,32"]
    assert 0 == cli.main(again)
    rows = (tmp_path / "again" / "mine" / "sweep.tsv").read_text().splitlines()
    assert ["model", "size", "rate", "dice", "jaccard", "case.size"] == rows[0].split("\t")
    assert {"16x16", "32x32"} == {row.split("\t")[1] for row in rows[1:]}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "either a recipe or --images"),
        (["--images", "."], "without masks"),
        (["RECIPE", "--folds", "--fold", "1"], "exclude each other"),
        (["RECIPE", "--fold", "9"], "no fold 9"),
    ],
)
def test_contradictions_are_refused_in_a_sentence(tmp_path: Path, capsys, arguments, told):
    import yaml

    (tmp_path / "r.yaml").write_text(yaml.safe_dump(recipe_content(tmp_path)))
    given = [str(tmp_path / "r.yaml") if a == "RECIPE" else a for a in arguments]
    assert 2 == cli.main(["train", *given, "-o", str(tmp_path / "runs")])
    assert told in capsys.readouterr().err
