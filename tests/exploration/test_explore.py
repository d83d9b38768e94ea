"""A data set explored: numbers, page, table, JSON, and the command."""

from __future__ import annotations

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import numpy as np
import pytest
import yaml
from data_sets import cube, image_of, usual, write_pair
from PIL import Image as Pictures

from leuko import cli
from leuko.errors import ReadError, UsageError
from leuko.pipelines.explore import data_source, explore
from leuko.pipelines.explore_page import page_of
from leuko.pipelines.explore_tables import to_json, to_tsv, write_exploration
from leuko.pipelines.explore_texts import recipe_of
from leuko.preparation.case import CasePlan
from leuko.report.exploration import exploration_page


def odd_set(root: Path) -> None:
    """Eight usual cases, one small, one broken."""
    usual(root)
    image = image_of(99)
    write_pair(root, "small", image, cube(image, edge=2))
    write_pair(root, "torn", image, cube(image))
    (root / "images" / "torn.nii.gz").write_bytes(b"no image at all")


def test_the_background_share_is_the_mean_over_masks(tmp_path: Path) -> None:
    for number, edge in enumerate((2, 4)):
        image = image_of(number)
        write_pair(tmp_path, f"case{number}", image, cube(image, edge=edge))
    found = explore(tmp_path).overview
    assert found.background_share == pytest.approx(1 - (8 + 64) / 2 / (12 * 14 * 10))


def test_several_processes_find_the_same(tmp_path: Path) -> None:
    odd_set(tmp_path)
    assert to_json(explore(tmp_path, jobs=2)) == to_json(explore(tmp_path))


def test_the_pooled_histograms_are_shares_of_each_case(tmp_path: Path) -> None:
    usual(tmp_path, count=3)
    (part,) = explore(tmp_path).survey.densities
    assert (part.unit, part.cases_inside, part.cases_outside) == ("z-score", 3, 3)
    assert sum(part.inside) == pytest.approx(3)
    assert sum(part.outside) == pytest.approx(3)


def test_the_table_has_a_row_a_case(tmp_path: Path) -> None:
    odd_set(tmp_path)
    rows = list(csv.DictReader(to_tsv(explore(tmp_path)).splitlines(), delimiter="\t"))
    held = {row["case"]: row for row in rows}
    assert len(rows) == 10
    assert held["case0"]["class_1_mm3"] == "128"
    assert held["small"]["unusual"] == "volume"
    assert held["torn"]["class_1_mm3"] == "n/a"
    assert "not an image" in held["torn"]["problem"]


def test_json_holds_everything_and_no_folder(tmp_path: Path) -> None:
    odd_set(tmp_path)
    text = to_json(explore(tmp_path))
    content = json.loads(text)
    assert content["overview"]["classes"][0]["mm3"]["median"] == 128.0
    assert content["suggestion"]["dims"] == 3
    assert str(tmp_path.parent) not in text


class Tags(HTMLParser):
    """Checks that every element that is opened is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "img", "br", "link", "wbr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def test_the_page_is_whole_and_needs_nothing_else(tmp_path: Path) -> None:
    odd_set(tmp_path)
    text = exploration_page(page_of(explore(tmp_path), created="today"))
    tags = Tags()
    tags.feed(text)
    assert (tags.open, tags.wrong) == ([], [])
    assert not re.findall(r"(?:src|href)=\"(?!data:)", text)
    assert "<script" not in text
    assert text.count("data:image/jpeg") == 9  # every case that can be read
    assert str(tmp_path.parent) not in text
    for said in ("Look at these cases", "small", "robust z", "torn", "β"):
        assert said in text


def test_names_from_files_are_escaped(tmp_path: Path) -> None:
    usual(tmp_path, count=2)
    text = exploration_page(page_of(explore(tmp_path, names={1: "<b>tumour</b>"})))
    assert "<b>tumour" not in text
    assert "&lt;b&gt;tumour" in text


def test_the_recipe_on_the_page_is_a_plan_for_training(tmp_path: Path) -> None:
    usual(tmp_path)
    found = explore(tmp_path).suggestion
    assert found is not None
    recipe = yaml.safe_load(recipe_of(found))
    plan = msgspec.convert(recipe["case"], CasePlan)
    assert (plan.dims, plan.size, plan.spacing) == (found.dims, found.size, found.spacing)
    assert recipe["loss"] == {"name": found.loss}


def test_pictures_without_a_size_are_counted_in_pixels(tmp_path: Path) -> None:
    for folder, values in (("images", range(256)), ("masks", [0] * 250 + [255] * 6)):
        (tmp_path / folder).mkdir()
        for name in ("sub-1", "sub-2"):
            data = np.array(values, np.uint8).reshape(16, 16)
            Pictures.fromarray(data).save(tmp_path / folder / f"{name}.png")
    found = explore(tmp_path)
    assert found.overview.sized == 0
    assert found.overview.classes[0].mm3.median == 6.0
    assert "pixels" in exploration_page(page_of(found))


def test_a_folder_in_no_layout_is_a_folder_of_images(tmp_path: Path) -> None:
    usual(tmp_path, count=2)
    found = explore(tmp_path / "images")
    assert (found.overview.cases, found.overview.masks) == (2, 0)


def test_a_data_set_that_is_not_there_is_told() -> None:
    with pytest.raises(ReadError, match="There is no nowhere"):
        data_source("nowhere")
    with pytest.raises(UsageError, match="No data set is named"):
        data_source()


def test_another_ending_is_refused(tmp_path: Path) -> None:
    usual(tmp_path, count=2)
    with pytest.raises(UsageError, match=r"not as \.xlsx"):
        write_exploration(explore(tmp_path), tmp_path / "eda.xlsx")


@pytest.mark.parametrize("ending", ["html", "json", "tsv"])
def test_the_command_writes_what_the_ending_says(tmp_path: Path, ending: str) -> None:
    usual(tmp_path, count=2)
    out = tmp_path / f"eda.{ending}"
    arguments = ["--images", str(tmp_path / "images"), "--masks", str(tmp_path / "masks")]
    assert cli.main(["eda", *arguments, "-o", str(out), "-q"]) == 0
    assert out.read_text(encoding="utf-8").startswith({"html": "<!DOCTYPE", "json": "{",
                                                       "tsv": "case\t"}[ending])  # fmt: skip


def test_the_command_says_the_main_thing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd_set(tmp_path)
    assert cli.main(["eda", str(tmp_path), "--names", "1=tumour"]) == 0
    text = capsys.readouterr().out
    assert "10 cases of 10 subjects" in text
    assert "small: Tumour: 16 mm³" in text
    assert "torn: Cannot be read" in text


def test_json_on_the_command_line_is_json_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    usual(tmp_path, count=2)
    assert cli.main(["eda", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["overview"]["cases"] == 2


def test_a_data_set_of_which_nothing_can_be_read_ends_in_exit_3(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.nii").write_bytes(b"nothing")
    assert cli.main(["eda", str(tmp_path / "images"), "-q"]) == 3


def test_every_output_that_is_asked_for_is_written(tmp_path: Path) -> None:
    usual(tmp_path / "data", count=3)
    outs = [tmp_path / f"seen.{ending}" for ending in ("html", "json", "tsv")]
    asked = [word for out in outs for word in ("-o", str(out))]
    assert cli.main(["eda", str(tmp_path / "data"), *asked, "-q"]) == 0
    assert [out.is_file() for out in outs] == [True] * 3
