"""`leuko compare`: several methods' masks, and models, on the same cases."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from leuko.cli.compare import compare as command
from leuko.errors import UsageError
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.pipelines.compare import compare, holm
from leuko.pipelines.compare_models import compare_models
from leuko.pipelines.compare_models_page import models_json, models_page, models_tsv
from leuko.pipelines.compare_page import comparison_page

GRID = Grid.from_spacing((24, 20, 8), (1.0, 1.0, 3.0))
PEERS = {"LPA": "lpa", "SynthSeg": "wmh_synthseg", "BIANCA": "bianca_all", "LGA": "lga",
         "U-Net": "tabriz_unet_ab"}  # fmt: skip


def mask(*, first: int, last: int = 12) -> np.ndarray:
    data = np.zeros(GRID.shape, np.uint8)
    data[first:last, 4:12, 2:5] = 1
    return data


def save(path: Path, data: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write(Image(data, GRID), path, labels=True)


@pytest.fixture
def methods(tmp_path: Path) -> Path:
    """Three cases; `good` is nearly right, `bad` misses much and has no mask of the third."""
    for case, last in (("a", 12), ("b", 14), ("c", 16)):
        save(tmp_path / "truth" / f"{case}.nii.gz", mask(first=4, last=last))
        save(tmp_path / "good" / f"{case}.nii.gz", mask(first=5, last=last))
        if case != "c":
            save(tmp_path / "bad" / f"{case}.nii.gz", mask(first=9, last=last))
    return tmp_path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(
        command, [str(argument) for argument in arguments], help_option_names=["-h", "--help"]
    )


def test_only_cases_of_all_methods_count_and_the_better_one_is_first(methods: Path) -> None:
    found = compare(methods / "truth", {"bad": methods / "bad", "good": methods / "good"})
    assert found.cases == ("a", "b")
    assert found.left_out == {"bad": ("c",)}
    assert found.ranking.order == found.ranking.order_by_rank == ("good", "bad")
    assert found.ranking.formula == {"bad": pytest.approx(0.6), "good": 0.0}
    # Recall and F1 are equal: one lesion, which both touch. Dice, H95 and AVD are better.
    assert found.wins["dice"] == {"bad": 0, "good": 2}
    assert found.wins["lesion_f1"] == {"bad": 2, "good": 2}
    (dice,) = (test for test in found.tests if test.metric == "dice")
    assert (dice.first, dice.second, dice.test.count) == ("bad", "good", 2)


def test_holm_multiplies_the_smallest_p_by_all_and_never_falls() -> None:
    assert holm([0.01, 0.04, math.nan, 0.03]) == [
        pytest.approx(0.03),
        pytest.approx(0.06),
        pytest.approx(math.nan, nan_ok=True),
        pytest.approx(0.06),
    ]


def test_json_tsv_and_page_are_written_by_the_ending(methods: Path) -> None:
    outputs = [methods / f"compare.{ending}" for ending in ("json", "tsv", "html")]
    options = [part for out in outputs for part in ("-o", out)]
    sides = [f"{name}={methods / name}" for name in ("good", "bad")]
    done = run(methods / "truth", *sides, *options)
    assert done.exit_code == 0, done.output
    assert "bad: no scores for c" in done.stderr
    content = json.loads(outputs[0].read_text())
    assert [case["id"] for case in content["cases"]] == ["a", "b"]
    assert content["ranking"]["order"] == ["good", "bad"]
    assert set(content["mean"]["good"]) >= {"dice", "h95", "avd", "lesion_recall", "lesion_f1"}
    rows = [line.split("\t")[:2] for line in outputs[1].read_text().splitlines()]
    assert rows[1:] == [["a", "good"], ["a", "bad"], ["b", "good"], ["b", "bad"]]
    page = outputs[2].read_text()
    assert "good comes first on 2 cases" in page
    assert page.count("data:image/jpeg;base64,") == 2
    assert "http" not in page.replace("http-equiv", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("truth", "good=good"),
        ("truth", "good=good", "good=bad"),
        ("truth", "good", "bad=bad"),
        ("truth", "good=good", "bad=bad", "--metric", "reference_ml"),
    ],
)
def test_a_comparison_that_cannot_be_says_why(methods: Path, arguments: tuple[str, ...]) -> None:
    places = [text.replace("=", f"={methods}/") if "=" in text else text for text in arguments[1:]]
    done = run(methods / "truth", *places)
    assert isinstance(done.exception, UsageError)
    assert done.exception.hint


def test_masks_without_a_common_case_are_refused(methods: Path) -> None:
    save(methods / "other" / "c.nii.gz", mask(first=4))
    with pytest.raises(UsageError, match="No case"):
        compare(methods / "truth", {"bad": methods / "bad", "other": methods / "other"})


def test_the_peers_are_compared_as_published(shared_data: Path) -> None:
    """Two rows of the table of the data, and its order by the formula."""
    home = shared_data / "wmh" / "tabriz"
    places = {name: home / "*" / "peers" / f"{file}.nii.gz" for name, file in PEERS.items()}
    found = compare(home / "*" / "lesions.nii.gz", places)
    for method, printed in (
        ("LPA", (0.47, 22.2, 53, 0.74, 0.43, 0.37)),
        ("U-Net", (0.51, 39.9, 58, 0.69, 0.60, 0.65)),
    ):
        summary = found.evaluations[method].summary
        names = (*found.metrics, "lesion_f1_strict")
        for name, value in zip(names, printed, strict=True):
            allowed = 0.005 if value < 1 else 0.05 if value < 50 else 0.5
            assert summary[name].mean == pytest.approx(value, abs=allowed + 1e-9), (method, name)
    assert found.ranking.order == ("LPA", "U-Net", "SynthSeg", "BIANCA", "LGA")


def test_models_are_compared_with_and_without_a_reference(tmp_path: Path) -> None:
    """The packaged model's two definitions on its sample."""
    sample = Path(__file__).resolve().parents[2] / "src" / "leuko" / "models" / "sample"
    found = compare_models(
        [sample / "flair.nii.gz"],
        {"all": "vascular", "ms": "ms"},
        masks=tmp_path,
        reference=sample / "truth.nii.gz",
    )
    assert (tmp_path / "all" / "flair.nii.gz").is_file()
    first, second = found.runs
    assert first.frames_per_second == first.slices["flair"] / first.seconds["flair"]
    assert first.volumes_ml["flair"] > second.volumes_ml["flair"] > 0
    assert 0 < found.likeness[0].dice["flair"] < 1
    assert found.scores is not None
    again = compare(sample / "truth.nii.gz", {run.name: run.masks["flair"] for run in found.runs})
    assert found.scores.ranking == again.ranking
    content = json.loads(models_json(found))
    assert content["models"]["all"]["frames_per_second"] == first.frames_per_second
    assert len(models_tsv(found).splitlines()) == 3
    assert "frames/s" in models_page(found)


def test_a_tie_by_the_formula_is_no_first_place(methods: Path, tmp_path: Path) -> None:
    """Both masks are the same, so that neither way of ranking has a winner."""
    found = compare(methods / "truth", {"one": methods / "good", "two": methods / "good"})
    text = comparison_page(found, worst=0)
    assert "one and two share the first place on 3 cases by the formula, and by the mean" in text
    assert "the order may be chance" in text
