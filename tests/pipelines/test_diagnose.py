"""Judging scores: which threshold, whose cases, what is marked as optimistic."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

import leuko
from leuko.errors import ReadError, UsageError
from leuko.pipelines.diagnose import diagnose
from leuko.pipelines.diagnose_files import to_json, to_tsv, write_diagnosis
from leuko.pipelines.diagnose_table import read_cases

# By hand: positives .9 .8 .4, negatives .7 .3 .2 .1: 11 of 12 pairs are in the right order.
ROWS = [
    ("a", 0.9, "yes"), ("b", 0.8, "yes"), ("c", 0.7, "no"), ("d", 0.4, "yes"),
    ("e", 0.3, "no"), ("f", 0.2, "no"), ("g", 0.1, "no"),
]  # fmt: skip


def table(path: Path, heading: str, rows: list[tuple[object, ...]]) -> Path:
    lines = ["\t".join(map(str, row)) for row in rows]
    path.write_text("\n".join([heading.replace(" ", "\t"), *lines]) + "\n")
    return path


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    return table(tmp_path / "scores.tsv", "name score truth", ROWS)


def predicted(path: Path, folds: dict[str, list[tuple[str, float, bool]]]) -> Path:
    """A table as `leuko predict` writes it; a case's subject is the first letter of its name."""
    rows = [
        (name, name[0], fold, "present" if real else "absent", "?", 1 - p, p)
        for fold, cases in folds.items()
        for name, p, real in cases
    ]
    return table(path, "name subject fold truth class absent present", rows)


def test_the_numbers_are_those_computed_by_hand(scores: Path) -> None:
    found = diagnose(scores, priors=(0.1,))
    point = found.points[0]
    assert found.roc.auc == pytest.approx(11 / 12)
    assert (point.rule, point.optimistic, point.thresholds) == ("fixed", False, {"": 0.5})
    table = point.confusion
    assert (2, 1, 1, 3) == (table.true_positive, table.false_positive, table.false_negative,
                            table.true_negative)  # fmt: skip
    after = point.posteriors[0]
    assert after.positive_odds == pytest.approx(1 / 9 * (2 / 3) / (1 / 4))
    assert after.negative == pytest.approx((4 / 9 / 9) / (1 + 4 / 9 / 9))
    assert found.calibration is not None
    assert found.calibration.brier == pytest.approx(
        (0.01 + 0.04 + 0.49 + 0.36 + 0.09 + 0.04 + 0.01) / 7
    )


def test_a_threshold_chosen_on_the_same_cases_is_marked(scores: Path) -> None:
    found = diagnose(scores, threshold="youden")
    assert found.points[0].optimistic
    assert found.points[0].thresholds == {"": 0.4}
    assert [False, True] == [point.optimistic for point in diagnose(scores).points]


def test_a_threshold_of_ones_own_is_taken(scores: Path) -> None:
    point = diagnose(scores, threshold=0.85).points[0]
    assert (point.name, point.rule) == ("0.85", "fixed")
    assert (1, 0) == (point.confusion.true_positive, point.confusion.false_positive)


def test_without_a_prior_it_is_the_share_of_the_table(scores: Path) -> None:
    assert diagnose(scores).priors == (3 / 7,)


def test_scores_that_are_no_probabilities_have_no_calibration(tmp_path: Path) -> None:
    rows = [(name, 10 * score, truth) for name, score, truth in ROWS]
    found = diagnose(table(tmp_path / "ml.tsv", "name score truth", rows))
    assert found.calibration is None
    assert found.points[0].optimistic
    assert found.points[0].thresholds == {"": 4.0}


class TestFolds:
    def test_each_fold_gets_the_threshold_of_its_own_other_cases(self, tmp_path: Path) -> None:
        test = predicted(
            tmp_path / "test.tsv",
            {
                "fold-0": [("a1", 0.5, True), ("b1", 0.3, False)],
                "fold-1": [("c1", 0.9, True), ("d1", 0.7, False)],
            },
        )
        valid = predicted(
            tmp_path / "valid.tsv",
            {
                "fold-0": [("x1", 0.6, True), ("y1", 0.2, False)],
                "fold-1": [("a1", 0.9, True), ("b1", 0.7, False)],  # tested in the other fold
            },
        )
        found = diagnose(test, choose_on=valid)
        point = found.points[0]
        assert point.rule == "chosen on other cases"
        assert point.thresholds == {"fold-0": pytest.approx(0.4), "fold-1": pytest.approx(0.8)}
        assert (2, 2) == (point.confusion.true_positive, point.confusion.true_negative)
        assert ["fold-0", "fold-1"] == [fold.fold for fold in found.folds]

    @pytest.mark.parametrize(("name", "said"), [("a1", "1 cases"), ("a2", "1 people")])
    def test_choosing_on_what_is_judged_is_refused(
        self, tmp_path: Path, name: str, said: str
    ) -> None:
        cases = [("a1", 0.5, True), ("b1", 0.3, False)]
        test = predicted(tmp_path / "test.tsv", {"f": cases})
        valid = predicted(tmp_path / "v.tsv", {"f": [(name, 0.5, True), ("z1", 0.2, False)]})
        with pytest.raises(UsageError, match=said):
            diagnose(test, choose_on=valid)

    def test_a_fold_without_other_cases_is_refused(self, tmp_path: Path) -> None:
        test = predicted(tmp_path / "test.tsv", {"f": [("a1", 0.5, True), ("b1", 0.3, False)]})
        valid = predicted(tmp_path / "v.tsv", {"g": [("x1", 0.5, True), ("z1", 0.2, False)]})
        with pytest.raises(UsageError, match="no cases of f"):
            diagnose(test, choose_on=valid)


class TestPeople:
    def test_intervals_that_draw_people_are_there_where_people_have_several_cases(
        self, tmp_path: Path
    ) -> None:
        cases = [(f"{who}{k}", (k + shift) / 9, k > 3) for shift, who in enumerate("abcde")
                 for k in range(5)]  # fmt: skip
        found = diagnose(predicted(tmp_path / "t.tsv", {"": cases}))
        assert found.clustered is not None
        assert (found.subjects, found.clustered.groups) == (5, 5)
        assert found.clustered.auc[0] < found.roc.auc <= found.clustered.auc[1]
        assert diagnose(tmp_path / "t.tsv", draws=0).clustered is None

    def test_people_are_found_in_names(self, scores: Path) -> None:
        assert read_cases(scores, subject="([a-z])").subjects == tuple("abcdefg")
        assert diagnose(scores, subject="([a-z])").clustered is None  # a case each
        with pytest.raises(UsageError, match="finds nobody"):
            read_cases(scores, subject=r"(\d)")


class TestTables:
    def test_the_truth_may_be_in_another_table(self, tmp_path: Path) -> None:
        given = table(tmp_path / "p.tsv", "name class no yes", [
            ("a", "yes", 0.1, 0.9), ("b", "no", 0.8, 0.2), ("c", "no", 0.6, 0.4)])  # fmt: skip
        truth = tmp_path / "truth.csv"
        truth.write_text("case,dementia\nb,0\na,1\n")
        cases = read_cases(given, truth=str(truth))
        assert (("a", "b"), (0.9, 0.2), (True, False)) == (cases.names, cases.scores, cases.truth)
        assert (cases.condition, cases.left_out) == ("yes", ("c",))

    def test_of_several_classes_one_is_looked_for(self, tmp_path: Path) -> None:
        given = table(tmp_path / "p.tsv", "name truth class cat dog fox", [
            ("a", "fox", "fox", 0.1, 0.2, 0.7), ("b", "cat", "cat", 0.8, 0.1, 0.1)])  # fmt: skip
        with pytest.raises(UsageError, match="Which class is looked for"):
            read_cases(given)
        cases = read_cases(given, condition="fox")
        assert ((0.7, 0.1), (True, False)) == (cases.scores, cases.truth)

    def test_the_absence_may_be_what_is_looked_for(self, tmp_path: Path) -> None:
        rows = {"": [("a1", 0.9, True), ("b1", 0.2, False)]}
        cases = read_cases(predicted(tmp_path / "t.tsv", rows), condition="absent")
        assert (False, True) == cases.truth
        assert cases.scores == pytest.approx((0.1, 0.8))

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("name\tscore\na\t1\n", "no column that says what is true"),
            ("name\ttruth\na\tyes\n", "no column of scores"),
            ("name\tscore\ttruth\na\tmuch\tyes\n", "score of a is 'much'"),
            ("name\tscore\ttruth\na\t1\n", "Line 2"),
            ("name\tscore\ttruth\na\t1\tyes\na\t2\tno\n", "a is in t.tsv twice"),
            ("name\tscore\ttruth\na\t\tyes\n", "both a score and a truth"),
            ("name\tscore\ttruth\na\t1\tyes\nb\t2\tyes\n", "All 2 cases are with"),
            ("name\tscore\tscore\na\t1\tyes\n", "two columns 'score'"),
            ("", "no table"),
            ("name\tscore\ttruth\na\t1\t" + "y" * 200_000, "no table: field larger"),
        ],
    )
    def test_a_table_that_is_not_understood_says_why(
        self, tmp_path: Path, text: str, said: str
    ) -> None:
        (tmp_path / "t.tsv").write_text(text)
        with pytest.raises(UsageError, match=said):
            diagnose(tmp_path / "t.tsv")

    def test_a_table_that_is_not_there(self, tmp_path: Path, scores: Path) -> None:
        with pytest.raises(ReadError, match=r"none\.tsv"):
            diagnose(tmp_path / "none.tsv")
        with pytest.raises(ReadError, match=r"neither a column of scores\.tsv"):
            diagnose(scores, truth="none.tsv")


class TestFiles:
    def test_json_holds_everything_and_infinity_is_said(self, tmp_path: Path) -> None:
        rows = [("a", 0.9, 1), ("b", 0.8, 1), ("c", 0.2, 0), ("d", 0.1, 0)]
        found = leuko.diagnose(table(tmp_path / "t.tsv", "name score truth", rows), priors=(0.25,))
        told = json.loads(to_json(found))
        assert told["auc"]["value"] == 1.0
        assert told["points"][0]["lr_positive"] == {"value": "inf", "interval": [None, None]}
        assert told["points"][0]["posteriors"][0]["positive_odds"] == "inf"
        assert told["points"][0]["posteriors"][0]["positive"] == 1.0
        assert told["roc"]["thresholds"][0] == "inf"

    def test_the_table_has_a_row_a_number(self, scores: Path) -> None:
        lines = [line.split("\t") for line in to_tsv(diagnose(scores)).splitlines()]
        assert {7} == {len(line) for line in lines}
        values = {(line[0], line[1]): line[2] for line in lines}
        assert values["", "auc"] == f"{11 / 12:.6g}"
        assert values["0.5", "true_positive"] == "2"

    def test_the_page_is_one_file_that_says_what_to_beware_of(
        self, tmp_path: Path, scores: Path
    ) -> None:
        write_diagnosis(diagnose(scores, threshold="youden"), tmp_path / "page.html")
        page = (tmp_path / "page.html").read_text()
        assert "are optimistic" in page
        assert "It is not known whose the cases are" in page
        assert page.count("<svg") == 4
        assert "http://" not in page
        assert "https://" not in page

    def test_names_are_escaped(self, tmp_path: Path) -> None:
        rows = [("a", 0.9, "<b>x"), ("b", 0.2, "other")]
        path = table(tmp_path / "t.tsv", "name score truth", rows)
        write_diagnosis(diagnose(path, condition="<b>x"), tmp_path / "page.html")
        assert "<b>x" not in (tmp_path / "page.html").read_text()

    def test_another_ending_is_refused(self, tmp_path: Path, scores: Path) -> None:
        with pytest.raises(UsageError, match="no ending"):
            write_diagnosis(diagnose(scores), tmp_path / "page.pdf")


def test_options_that_contradict_are_refused(scores: Path) -> None:
    with pytest.raises(UsageError, match="cases to choose one on"):
        diagnose(scores, threshold=0.5, choose_on=scores)


def test_intervals_that_do_not_exist_are_nan(scores: Path) -> None:
    found = diagnose(scores, threshold=0.0).points[0]
    assert found.confusion.specificity == 0.0
    assert math.isnan(found.posteriors[0].negative)
