"""benchmarks/leave_out.py: what a recipe becomes without a set, and what is refused."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

torch = pytest.importorskip("torch")

from leuko.errors import UsageError  # noqa: E402
from leuko.training.recipe import Case, Data, Optimisation, Recipe, to_plain  # noqa: E402

TABRIZ = Case("DATA/wmh/tabriz/1/flair.nii.gz", "lesions.nii.gz")
LJUBLJANA = Case("DATA/wmh/ljubljana/07/flair.nii.gz", "lesions.nii.gz")


@pytest.fixture
def leave_out(repository: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    return importlib.import_module("leave_out")


def recipe(*cases: Case, start: Path | None = None) -> Recipe:
    return Recipe(
        name="one",
        data=Data(labelmaps=("head.nii.gz",), cases=cases, real_share=0.4),
        optimisation=Optimisation(minutes=22),
        init_from=None if start is None else str(start),
    )


def saved(path: Path, made_by: Recipe) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"state_dict": {}, "step": 7, "recipe": to_plain(made_by)}, path)
    return path


def test_the_cases_of_the_set_go_and_the_run_has_its_own_name(leave_out: ModuleType) -> None:
    left = leave_out.without(recipe(TABRIZ, LJUBLJANA), "tabriz", minutes=3)
    assert left.name == "one-without-tabriz"
    assert left.data.cases == (LJUBLJANA,)
    assert left.data.real_share == 0.4
    assert left.optimisation.minutes == 3


def test_without_the_only_real_set_synthetic_heads_remain(leave_out: ModuleType) -> None:
    left = leave_out.without(recipe(TABRIZ), "tabriz")
    assert left.data.cases == ()
    assert left.data.real_share == 0.0
    assert left.optimisation.minutes == 22


def test_a_recipe_without_the_set_has_nothing_to_leave_out(leave_out: ModuleType) -> None:
    with pytest.raises(UsageError, match="no scan of ljubljana"):
        leave_out.without(recipe(TABRIZ), "ljubljana")


def test_weights_that_saw_the_set_are_no_start(leave_out: ModuleType, tmp_path: Path) -> None:
    """Also where not the start itself, but what that started from has seen it."""
    first = saved(tmp_path / "first" / "final.pt", recipe(TABRIZ))
    second = saved(tmp_path / "second" / "final.pt", recipe(LJUBLJANA, start=first))
    with pytest.raises(UsageError, match="have seen tabriz") as refused:
        leave_out.without(recipe(TABRIZ, LJUBLJANA, start=second), "tabriz")
    assert str(tmp_path) not in refused.value.what
    base = saved(tmp_path / "base" / "final.pt", recipe())
    assert leave_out.without(recipe(TABRIZ, start=base), "tabriz").init_from == str(base)


def test_weights_that_saw_the_set_are_no_teachers_alone_or_in_a_mean(
    leave_out: ModuleType, tmp_path: Path
) -> None:
    teacher = saved(tmp_path / "teacher" / "final.pt", recipe(TABRIZ))
    base = saved(tmp_path / "base" / "final.pt", recipe())
    mean = tmp_path / "mean" / "final.pt"
    mean.parent.mkdir()
    content = {"state_dict": {}, "recipe": to_plain(recipe()), "others": [to_plain(recipe(TABRIZ))]}
    torch.save(content, mean)
    for seen in (teacher, mean):
        taught = msgspec.structs.replace(recipe(TABRIZ), distil_from=(str(base), str(seen)))
        with pytest.raises(UsageError, match="have seen tabriz"):
            leave_out.without(taught, "tabriz")
    pupil = saved(
        tmp_path / "pupil" / "final.pt",
        msgspec.structs.replace(recipe(), distil_from=(str(teacher),)),
    )
    with pytest.raises(UsageError, match="have seen tabriz"):
        leave_out.without(recipe(TABRIZ, start=pupil), "tabriz")


def test_a_missing_start_is_told_before_training(leave_out: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not there"):
        leave_out.without(recipe(TABRIZ, start=tmp_path / "none" / "final.pt"), "tabriz")


def test_a_runs_stages_tell_slices_and_seeds_from_the_first_on(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    runs = importlib.import_module("training_runs")
    first = saved(tmp_path / "first" / "final.pt", recipe())
    (first.parent / "metrics.csv").write_text("step,minutes\n3,1.5\n7,2.5\n")
    second = saved(tmp_path / "second" / "final.pt", recipe(TABRIZ, start=first))
    found = runs.stages(second)
    assert [stage.slices for stage in found] == [7 * 8, 7 * 8]
    assert [stage.minutes for stage in found] == [2.5, None]
    assert runs.trained_on(second) == {"tabriz/1"}
