"""Cases from a list file: a path a line, or a table with a row a scan."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

from leuko.errors import LeukoError, ReadError, UsageError
from leuko.pipelines.case import OLDEST_AGE, Case, Problem, safe_name, sex_of
from leuko.pipelines.from_scanner import holds_dicom, visits

__all__ = ["cases_of_list", "is_list"]

ENDS = {".tsv": "\t", ".csv": ",", ".txt": None}
COLUMNS = {
    "scan": ("flair", "scan", "image", "path", "file"),
    "t1": ("t1", "t1w"),
    "name": ("id", "name", "case", "participant_id"),
    "age": ("age",),
    "sex": ("sex",),
    "group": ("group",),
}
UNKNOWN = ("", "n/a", "na", "nan", "none", "unknown")
Row = tuple[int, Mapping[str, str]]  # its line in the file, its cells by what they mean


def is_list(path: Path) -> bool:
    """Whether a file is taken as a list of scans: by the end of its name."""
    return path.suffix.lower() in ENDS and path.is_file()


def cases_of_list(path: Path) -> list[Case]:
    """A case for each row; rows that cannot run have a `problem` that says why.

    A text file holds a path in each line, or a table with tabs; .tsv and .csv are tables. A table
    names its columns in the first line: the scan (`flair`, `scan`, `image`, `path` or `file`) and,
    where known, `t1`, `id` (or `name`, `case`, `participant_id`), `age` in years, `sex` (M, F) and
    `group`; others are left alone. Lines that start with # and empty ones do not count. Paths
    count from the folder of the list. Raises ReadError (exit 3) for a file that is no text,
    UsageError (exit 2) for one without a row or without a column of scans.
    """
    first_line: dict[object, int] = {}
    named: dict[str, int] = {}
    cases = []
    for line, cells in _rows(path):
        case = _case(cells, line=line, file=path)
        if case.problem is None:
            own = (case.path.resolve(), case.visit.uid if case.visit else "")
            first = first_line.setdefault(own, line)
            case = replace(case, problem=_double(first, line, "the scan", "leave one out"))
            if case.problem is None and case.name:
                first = named.setdefault(safe_name(case.name).casefold(), line)
                if told := _double(first, line, "the name", "give each scan its own"):
                    case = replace(case, name="", problem=told)  # the folder is the first one's
        cases.append(case)
    if not cases:
        raise UsageError(
            f"The list {path.name} names no scan.", hint="A path in each line, or a table of them."
        )
    return cases


def _double(first: int, line: int, what: str, hint: str) -> Problem | None:
    if first == line:
        return None
    return Problem(
        f"Line {line} of the list has {what} of line {first}.",
        f"A scan and a name stand in a list once: {hint}.",
        UsageError.exit_code,
    )


def _case(cells: Mapping[str, str], *, line: int, file: Path) -> Case:
    """The case of a row, with its problem if it has one."""
    given = cells.get("scan", "")
    case = Case(cells.get("name", ""), file.parent / Path(given).expanduser(),
                sex=sex_of(cells.get("sex", "")), group=_known(cells.get("group", "")))  # fmt: skip
    try:
        if "wrong" in cells:
            raise UsageError(cells["wrong"], hint="Every row has a cell for each column.")
        if not given:
            raise UsageError(f"Line {line} of the list names no scan.", hint="Give its path.")
        case = replace(case, t1=_t1(cells, file=file), age=_age(cells.get("age", ""), line=line))
        return _found(case)
    except LeukoError as error:
        return replace(case, problem=Problem.of(error))


def _found(case: Case) -> Case:
    if not case.path.exists():
        raise ReadError(
            f"There is no file or folder {case.path.name}.",
            hint="Paths in a list count from the list's own folder.",
        )
    if not holds_dicom(case.path):
        if case.path.is_dir():
            raise UsageError(
                f"{case.path.name} is a folder, and no DICOM study.",
                hint="A row of a list is one scan: its file, or the folder of its DICOM study.",
            )
        return case
    studies = visits(case.path)
    if len(studies) != 1:
        raise UsageError(
            f"{case.path.name} holds {len(studies)} DICOM studies.",
            hint="A row of a list is one scan: name the folder of each study in a row.",
        )
    return replace(case, visit=studies[0])


def _t1(cells: Mapping[str, str], *, file: Path) -> Path | None:
    given = _known(cells.get("t1", ""))
    if not given:
        return None
    path = file.parent / Path(given).expanduser()
    if not path.is_file():
        raise ReadError(
            f"There is no T1 {path.name}.", hint="Leave its cell empty where there is none."
        )
    return path.absolute()


def _age(given: str, *, line: int) -> float | None:
    if not _known(given):
        return None
    try:
        age = float(given)
    except ValueError:
        age = math.nan
    if not 0 <= age <= OLDEST_AGE:
        raise UsageError(
            f"The age in line {line} of the list is no number of years.",
            hint="Leave its cell empty where the age is not known.",
        )
    return age


def _known(cell: str) -> str:
    return "" if cell.casefold() in UNKNOWN else cell


# ---------------------------------------------------------------- the file


def _rows(path: Path) -> Iterator[Row]:
    lines = [
        (number, line)
        for number, line in zip(count(1), _text(path).splitlines(), strict=False)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not lines:
        return
    separator = ENDS[path.suffix.lower()] or ("\t" if "\t" in lines[0][1] else None)
    split = _splitter(separator)
    heads = [head.casefold() for head in split(lines[0][1])]
    meanings = _meanings(heads, file=path)
    if "scan" not in meanings:
        if len(heads) > 1 and any(head in known for head in heads for known in COLUMNS.values()):
            raise _no_scans(path)
        if len(heads) > 1 and separator:
            raise _no_scans(path)
        yield from ((number, {"scan": split(line)[0]}) for number, line in lines)
        return
    for number, line in lines[1:]:
        cells = split(line)
        if len(cells) != len(heads):
            wrong = f"Line {number} of the list has {len(cells)} cells, its heading {len(heads)}."
            yield number, {"scan": cells[0], "wrong": wrong}
        else:
            yield number, {meaning: cells[place] for meaning, place in meanings.items()}


def _splitter(separator: str | None) -> Callable[[str], list[str]]:
    if separator is None:
        return lambda line: [line.strip()]
    return lambda line: [cell.strip() for cell in next(csv.reader([line], delimiter=separator))]


def _meanings(heads: Sequence[str], *, file: Path) -> dict[str, int]:
    """Which column holds what."""
    found: dict[str, int] = {}
    for place, head in enumerate(heads):
        for meaning, names in COLUMNS.items():
            if head in names:
                if meaning in found:
                    raise UsageError(
                        f"{file.name} has two columns for the {meaning}: "
                        f"{heads[found[meaning]]} and {head}.",
                        hint="Rename one of them.",
                    )
                found[meaning] = place
    return found


def _no_scans(path: Path) -> UsageError:
    return UsageError(
        f"{path.name} has no column of scans.",
        hint=f"Name it in the first line: {', '.join(COLUMNS['scan'])}.",
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(
            f"The list {path.name} cannot be read.", hint="It is a text file, in UTF-8."
        ) from error
