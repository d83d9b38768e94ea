"""Scales and the place for age in a result: from the command line to stats.json."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from classic_mr import write_series
from leuko.errors import UsageError
from leuko.image.image import Image
from leuko.image.reorient import reorient
from leuko.pipelines.cases import find_cases
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.from_scanner import take
from leuko.pipelines.measure import measure
from leuko.pipelines.model import Model
from leuko.pipelines.segment import segment, segment_file
from leuko.pipelines.statistics import Statistics

NORMS = """# source: Somebody 2030, table 1
# space: native
from_age,to_age,sex,p5,p50,p95
60,70,,0.0001,0.0002,0.0003
"""


def run(scan: Path, out: Path, model: Model, **parameters: object) -> Statistics:
    """The main job without a report."""
    config = SegmentConfig(report=False, dicom=False, **parameters)  # type: ignore[arg-type]
    return segment_file(scan, out=out, config=config, model=model)


def test_without_an_age_there_is_no_place_and_with_one_there_is(
    head_file: Path, tmp_path: Path, fake_model: Model
) -> None:
    assert run(head_file, tmp_path / "a", fake_model).norm is None
    norm = run(head_file, tmp_path / "b", fake_model, age=30, sex="male").norm
    assert norm is not None
    assert (norm.age, norm.sex, norm.people) == (30, "male", 14876)
    assert norm.percentile_low is not None
    assert "de Kort" in norm.source


def test_a_users_table_is_used_and_named_without_its_folder(
    head_file: Path, tmp_path: Path, fake_model: Model
) -> None:
    table = tmp_path / "norms.csv"
    table.write_text(NORMS)
    numbers = run(head_file, tmp_path / "out", fake_model, age=65, norms=str(table))
    assert numbers.norm is not None
    assert (numbers.norm.percentile_low, numbers.norm.percentile_high) == (95, 100)
    assert numbers.provenance.parameters["norms"] == "norms.csv"


def test_a_table_that_is_none_ends_the_run_before_anything_is_done(
    head_file: Path, tmp_path: Path, fake_model: Model
) -> None:
    (tmp_path / "norms.csv").write_text("hello")
    with pytest.raises(UsageError, match="norms"):
        run(head_file, tmp_path / "out", fake_model, age=65, norms=str(tmp_path / "norms.csv"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("age", [-1, 131])
def test_impossible_ages_are_refused(head_image: Image, fake_model: Model, age: float) -> None:
    with pytest.raises(UsageError, match="age"):
        segment(head_image, config=SegmentConfig(age=age), model=fake_model)


def test_a_dicom_age_is_asked_of_a_file_that_has_none(
    head_file: Path, tmp_path: Path, fake_model: Model
) -> None:
    numbers = run(head_file, tmp_path / "out", fake_model, age="dicom")
    assert numbers.norm is None
    assert "scanner.no_dicom" in [finding.code for finding in numbers.findings]


def test_age_and_sex_of_a_dicom_header_are_taken_only_when_asked(
    tmp_path: Path, head_image: Image
) -> None:
    """The study is of a woman born in 1950, seen in 2024."""
    write_series(tmp_path / "study", np.asarray(head_image.data), head_image.grid.affine)
    case = find_cases([tmp_path / "study"])[0]
    asked = take(case.path, case.visit, config=SegmentConfig(age="dicom", policy="lenient"))
    assert asked.age == pytest.approx(74.2, abs=0.1)
    assert asked.sex == "female"
    silent = take(case.path, case.visit, config=SegmentConfig(policy="lenient"))
    assert (silent.age, silent.sex) == (None, None)


def test_flips_and_permutations_of_the_file_have_the_same_grades(
    head_image: Image, fake_model: Model
) -> None:
    straight = segment(head_image, model=fake_model).scales
    assert straight is not None
    assert straight.fazekas_total.grade is not None
    for code in ("LPS", "SAR"):
        assert segment(reorient(head_image, to=code), model=fake_model).scales == straight


def test_ms_lesions_have_neither_grades_nor_place(head_image: Image, fake_model: Model) -> None:
    config = SegmentConfig(definition="ms", age=30)
    result = segment(head_image, config=config, model=fake_model)
    assert result.scales is not None
    assert result.norm is not None
    assert result.scales.fazekas_deep.grade is None
    assert "multiple sclerosis" in result.scales.why_not
    assert result.norm.low is None
    assert "MS" in result.norm.why_not


def test_a_mask_that_was_given_is_graded_and_placed(head_image: Image, fake_model: Model) -> None:
    made = segment(head_image, config=SegmentConfig(age=30), model=fake_model)
    again = measure(head_image, made.mask, config=SegmentConfig(age=30), model=fake_model)
    assert again.scales == made.scales
    assert again.norm == made.norm
