"""Cases that are unlike the others are named with the reason, the others are not."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from data_sets import cube, image_of, usual, write_pair

from leuko.exploration.outliers import outliers
from leuko.exploration.remarks import remarks, sorted_out
from leuko.exploration.robust import robust_z
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.pipelines.explore import Exploration, explore


def explored(root: Path) -> Exploration:
    return explore(root)


def codes(found: Exploration, case: str) -> list[str]:
    return [item.code for item in found.outliers if item.case == case]


def test_a_robust_z_by_hand() -> None:
    values = [1.0, 2.0, 3.0, 4.0, 100.0]  # median 3, deviations 2 1 0 1 97, their median 1
    assert robust_z(values, floor=0.1)[4] == pytest.approx(97 / 1.4826)


def test_where_all_numbers_are_equal_a_small_difference_is_not_unusual() -> None:
    assert abs(robust_z([1.0] * 9 + [1.05], floor=0.1)).max() == pytest.approx(0.5)


def test_four_numbers_are_too_few() -> None:
    assert not robust_z([1.0, 1.0, 1.0, 1000.0], floor=0.1).any()


def test_a_usual_data_set_has_nothing_unusual(tmp_path: Path) -> None:
    usual(tmp_path)
    found = explored(tmp_path)
    assert found.outliers == ()
    assert found.remarks == ()


def test_a_volume_far_from_the_median_is_named(tmp_path: Path) -> None:
    usual(tmp_path)
    image = image_of(99)
    write_pair(tmp_path, "small", image, cube(image, edge=2))
    found = explored(tmp_path)
    assert codes(found, "small") == ["volume"]
    expected = math.log(8 / 64) / math.log(1.1)  # spread: the floor, as all others are equal
    assert found.outliers[0].score == pytest.approx(expected)
    assert "16 mm³" in found.outliers[0].what
    assert "128 mm³" in found.outliers[0].what or "0.128 ml" in found.outliers[0].what


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("empty", lambda image: (image, image.with_data(np.zeros(image.grid.shape, np.uint8)))),
        ("constant", lambda image: (image.with_data(image.data * 0 + 7), cube(image))),
        ("lone_label", lambda image: (image, cube(image, value=9))),
        ("no_mask", lambda image: (image, None)),
        ("no_labels", lambda image: (image, image.with_data(image.data / 1000))),
    ],
)
def test_a_broken_case_is_named(tmp_path: Path, code: str, change: object) -> None:
    assert callable(change)
    rows = ["name\timage\tmask"]
    usual(tmp_path)
    write_pair(tmp_path, "odd", *change(image_of(99)))
    for path in sorted((tmp_path / "images").iterdir()):
        mask = tmp_path / "masks" / path.name
        place = f"masks/{path.name}" if mask.exists() else ""
        rows.append(f"{path.name[:-7]}\timages/{path.name}\t{place}")
    (tmp_path / "cases.tsv").write_text("\n".join(rows))
    assert code in codes(explore(tmp_path / "cases.tsv"), "odd")


def test_other_spacing_and_extent_are_named(tmp_path: Path) -> None:
    usual(tmp_path)
    image = image_of(99, grid=Grid.from_spacing((12, 14, 10), (2.0, 1.0, 3.0)))
    write_pair(tmp_path, "thick", image, cube(image))
    found = explored(tmp_path)
    assert {"spacing", "shape"} <= set(codes(found, "thick"))


def test_another_orientation_is_named(tmp_path: Path) -> None:
    usual(tmp_path)
    image = image_of(99)
    turned = Grid(image.grid.shape, image.grid.affine @ np.diag([-1.0, 1.0, 1.0, 1.0]))
    write_pair(tmp_path, "flipped", Image(image.data, turned), Image(cube(image).data, turned))
    assert "orientation" in codes(explored(tmp_path), "flipped")


def test_a_mirrored_case_is_named_by_its_side(tmp_path: Path) -> None:
    for number in range(8):
        image = image_of(number)
        start = 5 if number == 5 else 2
        write_pair(tmp_path, f"case{number}", image, cube(image, start=start))
    assert codes(explored(tmp_path), "case5") == ["side"]


def test_many_pieces_are_named(tmp_path: Path) -> None:
    usual(tmp_path)
    image = image_of(99)
    data = np.zeros(image.grid.shape, np.uint8)
    data[1:11:2, 1:13:2, 1:9:2] = 1
    write_pair(tmp_path, "crumbs", image, image.with_data(data))
    assert "pieces" in codes(explored(tmp_path), "crumbs")


def test_the_same_image_under_two_names_is_told_with_its_danger(tmp_path: Path) -> None:
    usual(tmp_path)
    image = image_of(3)
    write_pair(tmp_path, "twin", image, cube(image))
    found = explored(tmp_path)
    said = [item.what for item in found.outliers if item.code == "duplicate"]
    assert said == [
        "The same voxels as case3, which is called another subject: a split would put one image "
        "on both sides."
    ]


def test_a_file_that_cannot_be_read_is_a_row_and_no_stop(tmp_path: Path) -> None:
    usual(tmp_path)
    write_pair(tmp_path, "torn", image_of(1), cube(image_of(1)))
    torn = tmp_path / "images" / "torn.nii.gz"
    torn.write_bytes(torn.read_bytes()[:200])
    found = explored(tmp_path)
    assert codes(found, "torn") == ["unreadable"]
    assert (found.overview.cases, found.overview.readable) == (9, 8)
    assert str(tmp_path) not in found.outliers[0].what


def test_what_a_fifth_of_the_cases_share_is_said_of_all(tmp_path: Path) -> None:
    usual(tmp_path, count=10)
    for number in range(4):
        image = image_of(50 + number)
        write_pair(tmp_path, f"loud{number}", image.with_data(image.data * 1000), cube(image))
    found = explored(tmp_path)
    assert not any(item.code == "range" for item in found.outliers)
    assert "exploration.shared_range" in [item.code for item in found.remarks]


def test_values_that_do_not_count_from_1_are_told(tmp_path: Path) -> None:
    for number in range(3):
        image = image_of(number)
        both = np.maximum(cube(image).data, cube(image, edge=2, value=4).data)
        write_pair(tmp_path, f"case{number}", image, image.with_data(both))
    found = explored(tmp_path)
    (said,) = [item for item in found.remarks if item.code == "exploration.label_values"]
    assert "from 1 to 4" in said.what
    assert "2, 3." in said.what


def test_several_cases_of_a_subject_are_told(tmp_path: Path) -> None:
    usual(tmp_path)
    found = explored(tmp_path)
    cases = [replace(case, subject="one") for case in found.survey.cases]
    assert "exploration.several_of_a_subject" in [item.code for item in remarks(cases)]


def test_outliers_that_are_exceptions_stay(tmp_path: Path) -> None:
    usual(tmp_path)
    image = image_of(99)
    write_pair(tmp_path, "small", image, cube(image, edge=2))
    cases = explored(tmp_path).survey.cases
    kept, shared = sorted_out(outliers(cases), cases=cases)
    assert [item.code for item in kept] == ["volume"]
    assert shared == ()
