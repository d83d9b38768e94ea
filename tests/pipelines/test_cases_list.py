"""Lists of scans: a path a line, or a table; what cannot run is a case with its reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from leuko.errors import ReadError, UsageError
from leuko.pipelines.cases import Case, find_cases, is_alone


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def listed(root: Path, text: str, name: str = "scans.tsv") -> tuple[Case, ...]:
    (root / name).write_text(text, encoding="utf-8")
    return find_cases([root / name])


def problems(cases: tuple[Case, ...]) -> dict[str, tuple[int, str]]:
    return {c.name: (c.problem.exit_code, c.problem.what) for c in cases if c.problem}


def test_a_path_a_line_with_comments_and_empty_lines(tmp_path: Path) -> None:
    touch(tmp_path, "a b/one, two.nii.gz", "two.nii")
    cases = listed(
        tmp_path, "\ufeff# mine\na b/one, two.nii.gz\n\n  # more\ntwo.nii\n", "scans.txt"
    )
    assert [case.path.name for case in cases] == ["one, two.nii.gz", "two.nii"]
    assert [case.name for case in cases] == ["one_two", "two"]
    assert problems(cases) == {}


@pytest.mark.parametrize(("end", "separator"), [("tsv", "\t"), ("csv", ","), ("txt", "\t")])
def test_a_table_says_name_t1_age_sex_and_group(tmp_path: Path, end: str, separator: str) -> None:
    touch(tmp_path, "x/f.nii", "x/t.nii", "g.nii")
    lines = [
        ["ID", "Scan", "T1", "age", "sex", "group", "note"],
        ["p/1", "x/f.nii", "x/t.nii", "71.5", "F", "ms", "left alone"],
        ["p2", "g.nii", "n/a", "", "?", "n/a", ""],
    ]
    text = "\n".join(separator.join(line) for line in lines)
    first, second = listed(tmp_path, text, f"scans.{end}")
    assert (first.name, first.age, first.sex, first.group) == ("p_1", 71.5, "female", "ms")
    assert first.t1 == tmp_path / "x" / "t.nii"
    assert (second.name, second.age, second.sex, second.group) == ("p2", None, None, "")
    assert second.t1 is None


def test_what_cannot_run_is_listed_with_its_reason_and_the_rest_goes_on(tmp_path: Path) -> None:
    touch(tmp_path, "a.nii", "b.nii", "c.nii", "d.nii", "empty/none.txt")
    cases = listed(
        tmp_path,
        "id\tflair\tage\tt1\n"
        "p1\ta.nii\t\t\n"
        "p2\tgone.nii\t\t\n"
        "p3\ta.nii\t\t\n"
        "p1\tb.nii\t\t\n"
        "p4\tc.nii\told\t\n"
        "p5\tempty\t\t\n"
        "p6\t\t\t\n"
        "p7\tc.nii\n"
        "p8\td.nii\t-3\t\n"
        "p9\td.nii\t60\tgone.nii\n"
        "p10\td.nii\t60\t\n",
    )
    told = problems(cases)
    assert [case.name for case in cases if not case.problem] == ["p1", "p10"]
    assert told["p2"] == (3, "There is no file or folder gone.nii.")
    assert [what for _, what in told.values() if "of line" in what] == [
        "Line 4 of the list has the scan of line 2.",
        "Line 5 of the list has the name of line 2.",
    ]
    assert told["p4"] == (2, "The age in line 6 of the list is no number of years.")
    assert told["p5"][0] == 2
    assert told["p6"] == (2, "Line 8 of the list names no scan.")
    assert told["p9"] == (3, "There is no T1 gone.nii.")
    assert any("has 2 cells, its heading 4" in what for _, what in told.values())
    assert len(cases) == 11
    assert len({case.name.casefold() for case in cases}) == 11


def test_a_row_that_fails_does_not_take_the_folder_of_one_that_runs(tmp_path: Path) -> None:
    touch(tmp_path, "a.nii", "b.nii")
    cases = listed(tmp_path, "id\tscan\np\ta.nii\np\tb.nii\n")
    assert cases[0].name == "p"
    assert cases[0].problem is None
    assert cases[1].name != "p"


def test_a_list_of_one_scan_is_a_cohort_and_a_list_of_none_an_error(tmp_path: Path) -> None:
    touch(tmp_path, "a.nii")
    cases = listed(tmp_path, "a.nii\n", "one.txt")
    assert not is_alone([tmp_path / "one.txt"], cases)
    with pytest.raises(UsageError, match="names no scan"):
        listed(tmp_path, "# nothing\n")
    with pytest.raises(UsageError, match="no column of scans"):
        listed(tmp_path, "id\tage\np1\t3\n")
    with pytest.raises(UsageError, match="two columns for the scan"):
        listed(tmp_path, "flair\tpath\na.nii\ta.nii\n")
    (tmp_path / "binary.tsv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ReadError, match="cannot be read"):
        find_cases([tmp_path / "binary.tsv"])


def test_of_several_inputs_a_missing_one_is_a_row(tmp_path: Path) -> None:
    touch(tmp_path, "a.nii", "empty/none.dat")
    cases = find_cases([tmp_path / "a.nii", tmp_path / "gone.nii", tmp_path / "empty"])
    assert [case.problem and case.problem.exit_code for case in cases] == [None, 3, 2]


def test_thousands_of_rows_are_read_at_once(tmp_path: Path) -> None:
    touch(tmp_path, "a.nii")
    for number in range(3000):
        (tmp_path / f"s{number}.nii").symlink_to(tmp_path / f"t{number}.nii")
    text = "\n".join(f"s{number}.nii" for number in range(3000))
    cases = listed(tmp_path, text, "many.txt")
    assert len(problems(cases)) == len(cases) == 3000  # the links lead nowhere
