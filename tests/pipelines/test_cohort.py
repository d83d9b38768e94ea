"""Which scans a call stands for, their names, and a table that holds every one of them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from brightness_network import BrightnessEngine, make_card
from cohort_jobs import PROVENANCE, numbers, place

from leuko.errors import ReadError, UnusableInput, UsageError
from leuko.findings import Severity
from leuko.pipelines.case import Problem
from leuko.pipelines.cases import Case, find_cases, left_out
from leuko.pipelines.cohort import Outcome, Status, cohort, cohort_exit_code
from leuko.pipelines.cohort_table import Place
from leuko.pipelines.cohort_work import here, kept
from leuko.pipelines.model import Model
from leuko.pipelines.outputs import out_folder
from leuko.pipelines.statistics import (
    FindingRecord,
    SizeClass,
    SizeClasses,
    Statistics,
    decode,
    encode,
)

Outcomes = tuple[Outcome, ...]


@dataclass(frozen=True)
class Made:
    """A job whose cases end as a function says."""

    out: Path
    ends: Callable[[Case], Statistics]

    def load(self, *, threads: int | None = None) -> Model:
        return Model.of(make_card(), BrightnessEngine())

    def keep(self, case: Case, *, model: Model) -> Statistics | None:
        return kept(self.place(case), wanted=PROVENANCE)

    def run(self, case: Case, *, model: Model) -> Statistics:
        return self.ends(case)

    def place(self, case: Case) -> Place:
        return place(self.out / case.name)


def worked(cases: Sequence[Case], out: Path, ends: Callable[[Case], Statistics]) -> Outcomes:
    return cohort(cases, out=out, job=Made(out, ends))


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def found(root: Path, *inputs: str) -> dict[str, str]:
    """Case names and the files they stand for, below `root`."""
    cases = find_cases([root / name for name in inputs])
    return {case.name: case.path.relative_to(root).as_posix() for case in cases}


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "cohort.tsv").open(newline="") as file:
        return list(csv.DictReader(file, dialect="excel-tab"))


# ---------------------------------------------------------------- which scans


def test_files_are_named_after_themselves(tmp_path: Path) -> None:
    touch(tmp_path, "one.nii.gz", "two.nii")
    assert found(tmp_path, "one.nii.gz", "two.nii") == {"one": "one.nii.gz", "two": "two.nii"}


def test_the_same_file_twice_is_one_case(tmp_path: Path) -> None:
    touch(tmp_path, "one.nii.gz")
    assert found(tmp_path, "one.nii.gz", "one.nii.gz", ".") == {"one": "one.nii.gz"}


def test_equal_names_get_their_folders_in_front(tmp_path: Path) -> None:
    touch(tmp_path, "a/x/scan.nii.gz", "b/x/scan.nii.gz", "c/other.nii.gz")
    assert found(tmp_path, ".") == {
        "a_x_scan": "a/x/scan.nii.gz",
        "b_x_scan": "b/x/scan.nii.gz",
        "other": "c/other.nii.gz",
    }


def test_a_file_that_is_only_called_flair_is_named_after_its_folder(tmp_path: Path) -> None:
    touch(tmp_path, "p1/flair.nii.gz", "p1/t1.nii.gz", "p2/FLAIR.nii", "p2/mask.nii.gz")
    assert found(tmp_path, ".") == {"p1": "p1/flair.nii.gz", "p2": "p2/FLAIR.nii"}


def test_names_are_unique_whatever_the_disk_and_the_letters(tmp_path: Path) -> None:
    touch(tmp_path, "a b.nii.gz", "a:b.nii.gz", "ä.nii.gz", "..nii.gz", "x/A_B.nii")
    names = [case.name for case in find_cases([tmp_path, tmp_path / "..nii.gz"])]
    assert len({name.casefold() for name in names}) == 5
    assert not any(set(name) & set("/:\\ ") or name.startswith(".") for name in names)


def test_of_a_folder_only_what_is_named_flair_counts_if_anything_is(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "sub-01/anat/sub-01_FLAIR.nii.gz",
        "sub-01/anat/sub-01_T1w.nii.gz",
        "sub-01/anat/sub-01_FLAIR_mask.nii.gz",
        "derivatives/sub-01_desc-x_FLAIR_dseg.nii.gz",
    )
    assert found(tmp_path, ".") == {"sub-01_FLAIR": "sub-01/anat/sub-01_FLAIR.nii.gz"}
    assert left_out([tmp_path], find_cases([tmp_path])) == 3


def test_a_file_that_was_given_itself_counts_whatever_its_name(tmp_path: Path) -> None:
    touch(tmp_path, "lesion_mask.nii.gz")
    assert found(tmp_path, "lesion_mask.nii.gz") == {"lesion_mask": "lesion_mask.nii.gz"}


def test_results_of_ours_are_no_inputs(tmp_path: Path) -> None:
    touch(tmp_path, "scan.nii.gz")
    with out_folder(tmp_path / "result") as folder:
        (folder / "wmh.nii.gz").write_bytes(b"")
        (folder / "stats.json").write_bytes(encode(numbers()))
    assert found(tmp_path, ".") == {"scan": "scan.nii.gz"}


def test_a_folder_without_scans_and_a_missing_file_say_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no scan"):
        find_cases([tmp_path])
    with pytest.raises(ReadError, match="There is no file"):
        find_cases([tmp_path / "none.nii.gz"])


def test_a_link_gives_the_name_and_not_what_it_points_to(tmp_path: Path) -> None:
    touch(tmp_path, "store/SHA256-0001.nii.gz", "data/none.txt")
    (tmp_path / "data" / "scan.nii.gz").symlink_to("../store/SHA256-0001.nii.gz")
    assert list(found(tmp_path, "data")) == ["scan"]


# ---------------------------------------------------------------- what becomes of them


CASES = tuple(Case(name, Path("/scans") / f"{name}.nii.gz") for name in ("a", "b", "c"))


def test_one_bad_case_does_not_stop_the_rest(tmp_path: Path) -> None:
    def ends(case: Case) -> Statistics:
        if case.name == "b":
            raise UnusableInput("This is no FLAIR.", hint="Give the FLAIR.")
        return numbers()

    outcomes = worked(CASES, tmp_path / "out", ends)
    assert [outcome.status for outcome in outcomes] == [Status.DONE, Status.FAILED, Status.DONE]
    table = rows(tmp_path / "out")
    assert [row["case"] for row in table] == ["a", "b", "c"]
    assert [row["status"] for row in table] == ["done", "failed", "done"]
    assert table[0]["volume_ml"] == "7.35"
    assert table[0]["icv_percent"] == "n/a"
    assert table[0]["reason"] == "n/a"
    assert table[1]["reason"] == "This is no FLAIR."
    assert table[1]["volume_ml"] == "n/a"
    assert cohort_exit_code(outcomes) == 4


def test_a_case_that_cannot_run_is_a_row_and_never_runs(tmp_path: Path) -> None:
    broken = replace(CASES[0], problem=Problem("There is no file a.", "", 3), group="x", age=71.5)
    outcomes = worked([broken, CASES[1]], tmp_path, lambda case: numbers())
    assert [outcome.status for outcome in outcomes] == [Status.FAILED, Status.DONE]
    row = rows(tmp_path)[0]
    assert (row["reason"], row["group"], row["age"]) == ("There is no file a.", "x", "71.5")
    assert cohort_exit_code(outcomes) == 3


def test_zero_lesions_are_zero_in_the_table(tmp_path: Path) -> None:
    empty = SizeClass(0, 0.0, 0.0)
    none = numbers(0.0, lesion_count=0, size_classes=SizeClasses(empty, empty, empty))
    worked(CASES[:1], tmp_path, lambda case: none)
    row = rows(tmp_path)[0]
    assert (row["volume_ml"], row["lesion_count"], row["small_count"]) == ("0", "0", "0")


def test_the_table_says_of_whom_and_by_what(tmp_path: Path) -> None:
    cases = [replace(CASES[0], sex="female"), *CASES[1:]]
    worked(cases, tmp_path, lambda case: numbers(2.0))
    first, second = rows(tmp_path)[:2]
    assert (first["sex"], second["sex"]) == ("female", "n/a")
    made = numbers().provenance
    assert first["leuko_version"] == made.version
    assert first["weights_sha256"] == (made.weights_sha256 or "n/a")
    assert first["input_sha256"] == (made.input_sha256 or "n/a")
    assert first["definition"] == made.parameters.get("definition", "n/a")
    assert first["lobe_frontal_left_ml"] == first["mni_volume_ml"] == "n/a"


def test_findings_stand_in_the_table(tmp_path: Path) -> None:
    noisy = numbers(findings=[FindingRecord("scan.noisy", Severity.WARNING, "Noisy.", "")])
    worked(CASES[:1], tmp_path, lambda case: noisy)
    assert rows(tmp_path)[0]["findings"] == "warning:scan.noisy"


def test_our_own_bug_in_a_case_is_its_reason_and_the_worst_code(tmp_path: Path) -> None:
    def ends(case: Case) -> Statistics:
        raise {"a": ZeroDivisionError(), "b": MemoryError(), "c": ReadError("Broken.")}[case.name]

    outcomes = worked(CASES, tmp_path, ends)
    assert [outcome.exit_code for outcome in outcomes] == [70, 7, 3]
    assert "ZeroDivisionError" in rows(tmp_path)[0]["reason"]
    assert cohort_exit_code(outcomes) == 70


def test_an_interruption_stops_and_keeps_the_rows_so_far(tmp_path: Path) -> None:
    def ends(case: Case) -> Statistics:
        if case.name == "c":
            raise KeyboardInterrupt
        return numbers()

    with pytest.raises(KeyboardInterrupt):
        worked(CASES, tmp_path, ends)
    assert [row["case"] for row in rows(tmp_path)] == ["a", "b"]


def test_rows_stand_in_the_order_of_the_cases_whatever_finishes_first(tmp_path: Path) -> None:
    def backwards(cases: Sequence[Case], job: Any) -> Iterator[tuple[int, Outcome]]:
        yield from reversed(list(here(cases, job)))

    cohort(CASES, out=tmp_path, job=Made(tmp_path, lambda case: numbers()), work=backwards)
    assert [row["case"] for row in rows(tmp_path)] == ["a", "b", "c"]


def test_the_table_of_thousands_is_not_written_after_every_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = 0

    def counted(path: Path, content: bytes) -> None:
        nonlocal written
        written += len(content)
        path.write_bytes(content)

    monkeypatch.setattr("leuko.pipelines.cohort.write_whole", counted)
    many = [Case(f"c{number:04}", Path(f"/s/{number}.nii")) for number in range(3000)]
    done = numbers()
    outcomes = worked(many, tmp_path, lambda case: done)
    assert len(rows(tmp_path)) == len(outcomes) == 3000
    assert written < 100 * (tmp_path / "cohort.tsv").stat().st_size  # 1,500 times, if always


def test_what_was_finished_is_kept_and_not_run_again(tmp_path: Path) -> None:
    ran: list[str] = []

    def ends(case: Case) -> Statistics:
        ran.append(case.name)
        with out_folder(tmp_path / case.name) as building:
            (building / "stats.json").write_bytes(encode(numbers()))
        return numbers()

    worked(CASES[:2], tmp_path, ends)
    outcomes = worked(CASES, tmp_path, ends)
    assert ran == ["a", "b", "c"]
    assert [outcome.status for outcome in outcomes] == [Status.KEPT, Status.KEPT, Status.DONE]
    assert [row["volume_ml"] for row in rows(tmp_path)] == ["7.35"] * 3


@pytest.mark.parametrize(
    ("changed", "is_kept"),
    [
        ({}, True),
        ({"time": "2027-01-01T00:00:00+00:00"}, True),
        ({"input_name": "renamed.nii.gz"}, True),
        ({"version": "1.2.4"}, False),
        ({"weights_sha256": "c" * 64}, False),
        ({"input_sha256": "c" * 64}, False),
        ({"parameters": {"definition": "ms"}}, False),
        ({"engine": "torch"}, False),
    ],
)
def test_only_an_equal_run_is_kept(tmp_path: Path, changed: dict[str, Any], is_kept: bool) -> None:
    (tmp_path / "stats.json").write_bytes(encode(numbers()))
    wanted = msgspec.structs.replace(PROVENANCE, **changed)
    assert (kept(place(tmp_path), wanted=wanted) is not None) is is_kept


def test_what_cannot_be_understood_is_not_kept(tmp_path: Path) -> None:
    (tmp_path / "stats.json").write_text('{"provenance": {"program": "leuko"}}')
    assert kept(place(tmp_path), wanted=PROVENANCE) is None


def test_statistics_survive_the_file() -> None:
    assert decode(encode(numbers())) == numbers()
    with pytest.raises(ReadError):
        decode(b"{}")
