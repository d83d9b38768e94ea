"""The page of a cohort: who stands out, by which rule; what it says; that it stays small."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cohort_jobs import PROVENANCE, numbers, place
from msgspec import structs
from PIL import Image as Pictures
from scipy.stats import spearmanr

from leuko.anatomy.template import template_grid
from leuko.findings import Severity
from leuko.formats.write import write
from leuko.image.image import Image
from leuko.pipelines.case import Case
from leuko.pipelines.cohort_outliers import unlike
from leuko.pipelines.cohort_page import page_of, write_page
from leuko.pipelines.cohort_pictures import MOST_PICTURES
from leuko.pipelines.cohort_table import COLUMNS, Noticed, Numbers, Outcome, Place, Status
from leuko.pipelines.statistics import encode
from leuko.pipelines.template_space import IN_MNI
from leuko.report.cohort_charts import Scan, ages_chart, groups_chart, volumes_chart
from leuko.report.cohort_html import cohort_html
from leuko.report.drawing import Bar, Dot, Text


def done(
    name: str,
    ml: float = 5.0,
    *,
    age: float | None = None,
    group: str = "",
    warned: bool = False,
    place: Place | None = None,
    **more: Any,
) -> Outcome:
    values = {"volume_ml": ml, "lesion_count": round(10 * ml), "left_ml": ml / 2,
              "right_ml": ml / 2, "white_matter_percent": ml / 5, "brain_ml": 1100.0}  # fmt: skip
    values |= more
    findings = (Noticed("scan.noisy", Severity.WARNING, "Noisy <b>.</b>"),) if warned else ()
    numbers = Numbers(
        tuple(values.get(column) for column in COLUMNS), findings, name.ljust(64, "0"), "x", 1.0
    )
    case = Case(name, Path("/s") / f"{name}.nii", age=age, group=group)
    return Outcome(case, Status.DONE, numbers, place)


def failed(name: str, reason: str, code: int = 3) -> Outcome:
    case = Case(name, Path("/s") / f"{name}.nii")
    return Outcome(case, Status.FAILED, None, None, reason, "Check it.", code)


def names(outcomes: Sequence[Outcome]) -> dict[str, tuple[str, ...]]:
    """The measures by which each case stands out."""
    return {
        outcomes[place].case.name: tuple(one.measure for one in why)
        for place, why in unlike(outcomes).items()
    }


# ---------------------------------------------------------------- who stands out


def test_a_volume_far_from_the_others_stands_out_and_few_cases_none() -> None:
    usual = [done(f"s{n}", ml) for n, ml in enumerate((4.0, 5.0, 6.0, 7.0, 5.5, 4.5))]
    assert names(usual) == {}
    odd = [*usual, done("much", 180.0), done("none", 0.0)]
    assert names(odd) == {"much": ("volume_ml",), "none": ("volume_ml",)}
    assert names([done("a", 1.0), done("b", 1.0), done("c", 90.0)]) == {}


def test_the_robust_z_is_that_of_the_logarithm() -> None:
    """log10(v + 0.1): 0, 1, 1, 1, 2, 3; median 1, MAD 0.5: (3 - 1) / (1.4826 x 0.5) = 2.698."""
    volumes = [10.0**power - 0.1 for power in (0, 1, 1, 1, 2, 3)]
    assert names([done(f"s{n}", ml) for n, ml in enumerate(volumes)]) == {}
    volumes = [10.0**power - 0.1 for power in (0.5, 1, 1, 1, 1.5, 3)]
    found = unlike([done(f"s{n}", ml) for n, ml in enumerate(volumes)])
    assert list(found) == [5]
    assert found[5][0].z == pytest.approx((3 - 1) / (1.4826 * 0.25))
    assert found[5][0].usual == pytest.approx(9.9)


def test_with_ages_a_volume_is_judged_for_its_age() -> None:
    ages = np.linspace(30, 90, 40)
    rng = np.random.default_rng(0)
    volumes = 10 ** (-2.0 + 0.04 * ages + rng.normal(0, 0.05, 40))
    people = [
        done(f"s{n}", float(ml), age=float(age))
        for n, (age, ml) in enumerate(zip(ages, volumes, strict=True))
    ]
    old, young = done("old", 30.0, age=88.0), done("young", 30.0, age=35.0)
    assert names([*people, old, young]) == {"young": ("volume_ml",)}
    one = unlike([*people, old, young])[41][0]
    assert one.for_age == 35.0
    assert one.usual == pytest.approx(10 ** (-2.0 + 0.04 * 35), abs=0.15)
    without = [done(o.case.name, o.numbers.number("volume_ml") or 0.0) for o in people if o.numbers]
    assert "young" not in names([*without, done("old", 30.0), done("young", 30.0)])


def test_one_side_stands_out_only_where_there_is_enough_of_it() -> None:
    rng = np.random.default_rng(1)
    usual = [
        done(f"s{n}", 6.0, left_ml=float(left), right_ml=6.0 - float(left))
        for n, left in enumerate(rng.normal(3.0, 0.2, 20))
    ]
    sided = done("sided", 6.0, left_ml=5.9, right_ml=0.1)
    small = done("small", 5.0, left_ml=0.6, right_ml=0.0)
    assert names([*usual, sided, small]) == {"sided": ("asymmetry",)}


# ---------------------------------------------------------------- what the page says


def test_what_failed_comes_first_grouped_by_its_reason(tmp_path: Path) -> None:
    outcomes = [failed(f"f{n}", f"There is no file f{n}.nii.") for n in range(3)]
    outcomes += [failed("t1", "This is no FLAIR.", 4), done("a")]
    page = page_of(outcomes, out=tmp_path, asked=5)
    assert [(f.reason, f.exit_code, f.cases) for f in page.failures] == [
        ("There is no file ….", 3, ("f0", "f1", "f2")),
        ("This is no FLAIR.", 4, ("t1",)),
    ]
    assert page.lead == "1 of 5 scans were segmented; 4 failed."
    assert "waiting" in page_of(outcomes, out=tmp_path, asked=9).lead
    assert page_of([done("a"), done("b")], out=tmp_path, asked=2).lead.startswith("All 2 scans")


def test_ages_are_those_of_the_scans_that_were_segmented(tmp_path: Path) -> None:
    lost = failed("lost", "There is no file.")
    lost = replace(lost, case=replace(lost.case, age=90.0))
    page = page_of([done("a", age=40.0), done("b", age=50.0), lost], out=tmp_path, asked=3)
    tile = next(item for item in page.headline if item.name == "age")
    assert (tile.value, tile.note) == ("45", "")
    page = page_of([done("a", age=40.0), done("b"), lost], out=tmp_path, asked=3)
    tile = next(item for item in page.headline if item.name == "age")
    assert (tile.value, tile.note) == ("40", "known of 2 segmented scans")


def test_the_reason_of_a_failed_scan_lies_over_the_empty_cells(tmp_path: Path) -> None:
    page = page_of([done("a", largest_lesion_mm3=9.0), failed("t1", "Not.")], out=tmp_path, asked=2)
    whole, short = page.cases.rows
    assert len(whole) == len(page.cases.columns)
    assert short[-1].text == "Not."
    assert sum(cell.span for cell in short) == len(page.cases.columns)
    text = cohort_html(page)
    assert f'colspan="{short[-1].span}"' in text


def test_what_made_the_scans_stands_on_the_page(tmp_path: Path) -> None:
    made: dict[str, Any] = {
        "definition": "vascular",
        "weights_name": "wmh-flair",
        "leuko_version": "9.9",
    }
    outcomes = [done(f"s{n}", weights_version="2", **made) for n in range(3)]
    outcomes.append(done("old", weights_version="1", **made))
    told = {one.label: one.value for one in page_of(outcomes, out=tmp_path, asked=4).provenance}
    assert told == {
        "leuko version": "9.9",
        "Definition": "vascular: lesions with periventricular caps and rims",
        "Weights": "wmh-flair, version 2 (scans: 3); wmh-flair, version 1 (scans: 1)",
    }


def test_every_number_of_the_page_is_defined(tmp_path: Path) -> None:
    named = {one.name for one in page_of([done("a")], out=tmp_path, asked=1).definitions}
    assert {"Volume", "Lesion", "Share of white matter", "Fazekas"} <= named
    assert "Periventricular, deep, infratentorial" in named


def test_numbers_of_the_cohort_are_right(tmp_path: Path) -> None:
    outcomes = [done(f"s{n}", float(ml)) for n, ml in enumerate((0, 1, 2, 3, 14))]
    page = page_of(outcomes, out=tmp_path, asked=5)
    assert "median volume of white matter hyperintensities is 2.0 ml" in page.more
    assert "quartiles 1.0 to 3.0, range 0.00 to 14.0" in page.more
    assert page.more.endswith("One has no lesion.")
    assert page.numbers is not None
    row = [cell.text for cell in page.numbers.rows[0]]
    # median, quartiles, mean 20 / 5, SD sqrt((16 + 9 + 4 + 1 + 100) / 4), least, most
    assert row == ["Volume", "ml", "5", "2.00", "1.00", "3.00", "4.00", "5.70", "0.00", "14.0"]


def test_groups_are_compared_and_findings_counted(tmp_path: Path) -> None:
    outcomes = [done(f"a{n}", 2.0 + n, group="clinic", age=70.0 + n) for n in range(4)]
    outcomes += [done(f"b{n}", 0.0, group="control", warned=True) for n in range(3)]
    page = page_of(outcomes, out=tmp_path, asked=7)
    assert page.groups is not None
    clinic, control = ([cell.text for cell in row] for row in page.groups.rows)
    assert clinic[:4] == ["clinic", "4", "71.5", "3.50"]
    assert control[-1] == "3"  # without lesion
    assert [(t.code, t.count, t.severity) for t in page.findings] == [
        ("scan.noisy", "3", "warning")
    ]
    assert [plot.title for plot in page.plots] == ["Volume", "Volume by age", "Volume by group"]


def test_the_rank_correlation_with_age_is_spearmans(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    ages, volumes = rng.integers(50, 60, 30), rng.integers(0, 9, 30)
    outcomes = [
        done(f"s{n}", float(ml), age=float(age))
        for n, (age, ml) in enumerate(zip(ages, volumes, strict=True))
    ]
    rho = f"{spearmanr(ages, volumes).statistic:.2f}".replace("-", "−")
    page = page_of(outcomes, out=tmp_path, asked=30)
    assert page.plots[1].note.endswith(f"(Spearman) {rho}.")


def test_grades_of_visual_scales_are_counted(tmp_path: Path) -> None:
    grades = [(0, 1), (2, 1), (2, 3)]
    outcomes = [
        done(f"s{n}", fazekas_periventricular=one, fazekas_deep=two)
        for n, (one, two) in enumerate(grades)
    ]
    table = page_of(outcomes, out=tmp_path, asked=3).grades
    assert table is not None
    assert [[cell.text for cell in row[1:]] for row in table.rows] == [
        ["3", "1", "0", "2", "0"],
        ["3", "0", "2", "0", "1"],
    ]
    assert page_of([done("a")], out=tmp_path, asked=1).grades is None


def test_masks_in_mni_space_become_a_map_of_where_lesions_lie(tmp_path: Path) -> None:
    outcomes = []
    mask = np.zeros(template_grid().shape, dtype=np.uint8)
    mask[90:100, 110:120, 90:100] = 1
    for number in range(5):
        folder = tmp_path / f"s{number}"
        folder.mkdir()
        write(Image(mask, template_grid()), folder / IN_MNI, labels=True)
        found = structs.replace(PROVENANCE, input_sha256=f"{number}" * 64)
        (folder / "stats.json").write_bytes(encode(numbers(provenance=found)))
        outcomes.append(done(f"s{number}", place=place(folder)))
    picture = page_of(outcomes, out=tmp_path, asked=5).frequency
    assert picture is not None
    assert picture.caption.startswith("Share of 5 scans")
    assert "; 100 % at most" in picture.caption
    assert page_of(outcomes[:4], out=tmp_path, asked=4).frequency is None


def test_scans_that_are_there_twice_or_made_unalike_are_said(tmp_path: Path) -> None:
    one, two = done("a"), done("b")
    assert one.numbers is not None
    twin = Outcome(two.case, Status.DONE, one.numbers)
    (said,) = page_of([one, twin], out=tmp_path, asked=2).care
    assert said.startswith("a and b hold the same scan")
    assert two.numbers is not None
    other = Numbers(two.numbers.values, (), "b" * 64, "another version", 1.0)
    (said,) = page_of([one, Outcome(two.case, Status.DONE, other)], out=tmp_path, asked=2).care
    assert "same version" in said


def test_the_page_needs_nothing_else_and_escapes_what_files_say(tmp_path: Path) -> None:
    outcomes = [done("<script>x", 5.0, group="a<b", warned=True), failed("c", "Bad & <i>.")]
    write_page(outcomes, out=tmp_path, asked=2)
    text = (tmp_path / "cohort.html").read_text(encoding="utf-8")
    assert "<script>x" not in text
    assert "<b>.</b>" not in text
    assert "Bad &amp; &lt;i&gt;." in text
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', text)
    assert text.count("<script>") == 1
    assert "default-src 'none'" in text


def test_thousands_of_scans_are_a_few_megabytes(tmp_path: Path) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 255, (97, 120, 3), dtype=np.uint8)
    Pictures.fromarray(noise).resize((1200, 966)).save(folder / "preview.png")
    (folder / "report.html").write_text("")
    place = Place(folder / "stats.json", folder / "report.html", folder / "preview.png")
    rng = np.random.default_rng(0)
    outcomes = [
        done(f"sub-{n:05}_ses-01_acq-3d", float(rng.lognormal(1, 1.2)), group=f"g{n % 5}",
             age=float(rng.uniform(40, 90)), warned=n % 9 == 0, place=place)
        for n in range(5000)
    ]  # fmt: skip
    write_page(outcomes, out=tmp_path, asked=5000)
    text = (tmp_path / "cohort.html").read_text(encoding="utf-8")
    assert len(text) < 15e6
    assert text.count("<img ") == MOST_PICTURES
    assert text.count("one/report.html") >= 5000


# ---------------------------------------------------------------- charts


def test_bars_count_every_scan_once_and_zero_has_its_own_place() -> None:
    volumes = [0.0, 0.0, 0.02, 1.0, 1.2, 5.0, 80.0]
    drawn = volumes_chart([Scan("s", ml) for ml in volumes], axis="ml", counts="scans")
    bars = sorted((shape for shape in drawn.shapes if isinstance(shape, Bar)), key=lambda b: b.x)
    tall = [bar.height for bar in bars]
    assert len(bars) == 5  # 0 twice, 0.02, 1.0 and 1.2, 5, 80
    assert tall[0] == tall[2] == 2 * tall[1] == 2 * tall[3] == 2 * tall[4]
    texts = [shape.text for shape in drawn.shapes if isinstance(shape, Text)]
    assert {"0", "0.01", "1", "100"} <= set(texts)


def test_dots_lie_inside_the_drawing_wherever_their_values() -> None:
    scans = [Scan("a", 0.0, 18.0, "x"), Scan("b", 400.0, 101.0, "y"), Scan("c", 0.001, 50.0, "x")]
    for drawn in (
        ages_chart(scans, axis="age", volumes="ml", groups=("x", "y")),
        groups_chart(scans, groups=("x", "y"), axis="ml"),
    ):
        dots = [shape for shape in drawn.shapes if isinstance(shape, Dot)]
        assert len(dots) >= 3
        assert all(0 < dot.x < drawn.width and 0 < dot.y < drawn.height for dot in dots)
