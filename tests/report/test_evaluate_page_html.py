"""The page of `leuko evaluate`: whole, offline, escaped, and showing the worst cases first."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from leuko.evaluation.registry import METRICS
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.pipelines.evaluate import evaluate_paths
from leuko.pipelines.evaluate_page import page, page_values
from leuko.pipelines.evaluate_sites import SiteRow
from leuko.report.agreement_charts import bland_altman_chart
from leuko.report.evaluation_charts import Point, Strip, strip_chart
from leuko.report.evaluation_pictures import codes_of, worst_slice
from leuko.report.metric_words import definition

GRID = Grid.from_spacing((24, 20, 8), (1.0, 1.0, 3.0))


def save(path: Path, *, first: int, label: int = 1) -> None:
    data = np.zeros(GRID.shape, np.uint8)
    data[first:12, 4:12, 2:5] = 1
    if label > 1:
        data[14:20, 4:12, 2:5] = label
    path.parent.mkdir(parents=True, exist_ok=True)
    write(Image(data, GRID), path, labels=True)


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Four cases, c the worst, and the scans of three of them."""
    for case, first in zip("abcd", (4, 5, 10, 6), strict=True):
        save(tmp_path / "truth" / f"{case}.nii.gz", first=4)
        save(tmp_path / "out" / f"{case}.nii.gz", first=first)
        if case != "d":
            values = np.random.default_rng(1).normal(100, 20, GRID.shape).astype(np.float32)
            path = tmp_path / "scans" / f"{case}.nii.gz"
            path.parent.mkdir(exist_ok=True)
            write(Image(values, GRID), path)
    return tmp_path


def test_the_page_needs_no_other_file_and_allows_one_script(folders: Path) -> None:
    text = page(evaluate_paths(folders / "truth", folders / "out"))
    assert "http" not in text.replace("http-equiv", "")
    assert text.count("<script>") == 1
    assert re.search(r"script-src 'sha256-[A-Za-z0-9+/]{43}='", text)
    assert str(folders) not in text


def test_the_worst_cases_come_first_on_their_images(folders: Path) -> None:
    evaluation = evaluate_paths(folders / "truth", folders / "out")
    values = page_values(evaluation, images=folders / "scans", worst=3)
    (gallery,) = (section for section in values.sections if section.name == "worst")
    assert [figure.title for figure in gallery.figures] == ["c", "d", "b"]
    assert any("d: no image of this name" in text for text in values.care)
    wide, alone = gallery.figures[0].picture, gallery.figures[1].picture
    assert wide.height < alone.height  # the scan and its errors share the width


def test_every_metric_has_a_definition() -> None:
    assert [name for name in METRICS if not definition(name)] == []


def test_what_was_not_scored_is_said_at_the_top(folders: Path) -> None:
    save(folders / "truth" / "e.nii.gz", first=4)
    (folders / "out" / "b.nii.gz").write_bytes(b"broken")
    values = page_values(evaluate_paths(folders / "truth", folders / "out"))
    assert [text[:20] for text in values.care] == ["1 case was not score", "Only in the referenc"]


def test_names_of_cases_and_sites_are_escaped(folders: Path) -> None:
    (folders / "truth" / "a.nii.gz").rename(folders / "truth" / "<b>x.nii.gz")
    (folders / "out" / "a.nii.gz").rename(folders / "out" / "<b>x.nii.gz")
    sites = {"<b>x": SiteRow("<i>site", True), "b": SiteRow("B", False)}
    text = page(evaluate_paths(folders / "truth", folders / "out", sites=sites))
    assert "<b>x" not in text
    assert "<i>site" not in text
    assert "&lt;i&gt;site" in text


def test_labels_have_a_table_a_strip_and_a_volume_each(tmp_path: Path) -> None:
    for case in "ab":
        save(tmp_path / "truth" / f"{case}.nii.gz", first=4, label=3)
        save(tmp_path / "out" / f"{case}.nii.gz", first=5, label=3)
    evaluation = evaluate_paths(
        tmp_path / "truth", tmp_path / "out", labels=True, names={1: "head", 3: "tail"}
    )
    sections = {section.name: section for section in page_values(evaluation).sections}
    by_label = sections["summary-table"].tables[0]
    assert [row[0].text for row in by_label.rows] == ["head", "tail"]
    assert [chart.title for chart in sections["volumes"].charts][::2] == [
        "head: Volume against the reference",
        "tail: Volume against the reference",
    ]
    assert len(sections["worst"].legend) == 4


def test_codes_tell_agreed_false_missed_and_another_label() -> None:
    truth, found = np.array([0, 1, 1, 2, 2, 0]), np.array([0, 1, 2, 2, 0, 1])
    assert codes_of(truth, found).tolist() == [0, 1, 4, 1, 3, 2]


def test_the_slice_with_the_most_errors_is_chosen_over_the_fullest() -> None:
    codes = np.zeros((4, 4, 3), np.uint8)
    codes[:, :, 0] = 1
    codes[0, :2, 2] = 3
    codes[0, 0, 1] = 2
    assert worst_slice([codes], axis=2) == 2
    assert worst_slice([np.where(codes > 1, 0, codes).astype(np.uint8)], axis=2) == 0


def test_a_strip_shows_a_dot_for_each_case_with_its_name() -> None:
    points = tuple(Point(f"case {k}", k / 10) for k in range(5))
    drawing = strip_chart([Strip("", points, 0.2, (0.1, 0.3))], unit="", bounded=True)
    titles = [shape.title for shape in drawing.shapes if type(shape).__name__ == "Dot"]
    assert titles == [f"case {k}: {k / 10:.3g}" for k in range(5)]


def test_bland_altman_of_two_cases_has_lines_without_intervals() -> None:
    nan = float("nan")
    drawing = bland_altman_chart(
        [Point("a", 1.0, 2.0), Point("b", 3.0, 3.0)],
        bias=0.5,
        limits=(-0.9, 1.9),
        intervals=((nan, nan),) * 3,
        unit="ml",
    )
    texts = {shape.text for shape in drawing.shapes if type(shape).__name__ == "Text"}
    assert {"bias +0.5", "−1.96 SD −0.9", "+1.96 SD +1.9"} <= texts
