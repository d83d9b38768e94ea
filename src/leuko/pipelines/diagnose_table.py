"""A table of scores with the truth: a row a case, as `leuko predict` writes it or by hand."""

from __future__ import annotations

import csv
import math
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from leuko.errors import ReadError, UsageError

__all__ = ["Cases", "read_cases"]

NAME = ("name", "case", "id", "item", "file", "image")
TRUTH = ("truth", "category", "true_class", "reference", "target")
SCORE = ("score", "probability", "p", "prediction")
SUBJECT = ("subject", "patient", "participant_id", "person")
FOLD = ("fold",)
CHOICE = "class"  # of leuko predict: the columns behind it are probabilities
PRESENT = "present"  # of data.category: mask
TRUE = {"1", "yes", "true", "y", "positive", "present"}
FALSE = {"0", "no", "false", "n", "negative", "absent"}
LARGEST = 1 << 26


@dataclass(frozen=True, slots=True)
class Cases:
    """Cases in the order of their table: scores rise with the condition, truth is whether it is.

    `subjects` and `folds` are empty texts where the table has no such column. `condition` is what
    is looked for, `score` the column of the scores. `left_out` have no truth or no score.
    """

    names: tuple[str, ...]
    scores: tuple[float, ...]
    truth: tuple[bool, ...]
    subjects: tuple[str, ...]
    folds: tuple[str, ...]
    condition: str
    score: str
    source: str
    left_out: tuple[str, ...] = ()

    @property
    def probabilities(self) -> bool:
        """Whether all scores lie within 0 and 1."""
        return all(0 <= score <= 1 for score in self.scores)


def read_cases(
    table: str | os.PathLike[str],
    *,
    truth: str = "",
    condition: str = "",
    score: str = "",
    subject: str = "",
) -> Cases:
    """The cases of a .tsv or .csv.

    `truth`: a column, or another table with the names and the truth; `condition`: the class that
    is looked for; `score`: the column of scores; `subject`: an expression with one group that
    finds the person in a name, where there is no column for it. What is not given is found by the
    usual names. ReadError (exit 3) where a file is not there, UsageError (exit 2) where a column is
    missing, double names, or values that are not understood.
    """
    path = Path(table)
    columns, rows = _read(path)
    named = _find(columns, NAME)
    truths, truth_name = _truths(path, columns, rows, truth)
    wanted, scored = _scored(path, columns, truths, condition=condition, score=score)
    owner, fold = _find(columns, SUBJECT), _find(columns, FOLD)
    found: list[tuple[str, float, bool, str, str]] = []
    left_out = []
    for number, (row, real) in enumerate(zip(rows, truths, strict=True), start=1):
        name = row[named] if named else str(number)
        value = _number(row[scored], name=name, column=scored)
        if not real or math.isnan(value):
            left_out.append(name)
            continue
        whose = row[owner] if owner else _captured(subject, name)
        is_so = _decided(real, wanted, column=truth_name)
        found.append((name, value, is_so, whose, row[fold] if fold else ""))
    if not found:
        raise UsageError(
            f"No case of {path.name} has both a score and a truth.",
            hint="Name a table of the truth: --truth TABLE, with the columns name and truth.",
        )
    doubled = [key for key, n in Counter((one[0], one[4]) for one in found).items() if n > 1]
    if doubled:
        raise UsageError(f"{doubled[0][0]} is in {path.name} twice.", hint="Keep one row a case.")
    names, scores, real_ones, subjects, folds = zip(*found, strict=True)
    cases = Cases(
        names, scores, real_ones, subjects, folds, wanted, scored, path.name, tuple(left_out)
    )
    return cases if all(cases.subjects) else replace(cases, subjects=("",) * len(names))


def _read(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """The columns and rows of a table, texts stripped."""
    try:
        if path.stat().st_size > LARGEST:
            raise UsageError(f"{path.name} is too large for such a table.", hint="Check the path.")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(f"The table {path.name} cannot be read.", hint="Check the path.") from error
    first = text.partition("\n")[0]
    try:
        lines = list(csv.reader(text.splitlines(), delimiter="\t" if "\t" in first else ","))
    except csv.Error as error:
        raise UsageError(f"{path.name} is no table: {error}.", hint="Check the path.") from error
    columns = [name.strip() for name in (lines[0] if lines else [])]
    doubled = [name for name, n in Counter(columns).items() if n > 1]
    if len(columns) < 2 or doubled:
        said = f"has two columns '{doubled[0]}'" if doubled else "is no table with columns"
        raise UsageError(
            f"{path.name} {said}.", hint="A .tsv or .csv has a heading, then a row a case."
        )
    rows = []
    for number, values in enumerate(lines[1:], start=2):
        if not any(values):
            continue
        if len(values) != len(columns):
            raise UsageError(
                f"Line {number} of {path.name} has {len(values)} values for {len(columns)} "
                "columns.",
                hint="Correct the table.",
            )
        rows.append({key: value.strip() for key, value in zip(columns, values, strict=True)})
    return columns, rows


def _truths(
    path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, str]], given: str
) -> tuple[list[str], str]:
    """What is true of each row as text, empty where unknown, and the column's name."""
    held = given if given in columns else "" if given else _find(columns, TRUTH)
    if held:
        return [row[held] for row in rows], held
    if not given:
        raise UsageError(
            f"{path.name} has no column that says what is true ({', '.join(columns)}).",
            hint="Name it, or a table with the columns name and truth: --truth COLUMN|TABLE.",
        )
    other = Path(given)
    if not other.is_file():
        raise ReadError(
            f"'{given}' is neither a column of {path.name} nor a file.", hint="Check --truth."
        )
    named = _find(columns, NAME)
    others, their_rows = _read(other)
    key, value = _find(others, NAME), _find(others, (*TRUTH, CHOICE, "label"))
    if not value and key and len(others) == 2:
        value = next(column for column in others if column != key)
    if not (named and key and value):
        raise UsageError(
            f"{path.name} and {other.name} cannot be joined.",
            hint="Both need a column name, and the second a column truth.",
        )
    known = {row[key]: row[value] for row in their_rows}
    return [known.get(row[named], "") for row in rows], value


def _scored(
    path: Path,
    columns: Sequence[str],
    truths: Sequence[str],
    *,
    condition: str,
    score: str,
) -> tuple[str, str]:
    """What is looked for (a class's name, or empty: truth is yes or no), and the scores' column."""
    values = {text for text in truths if text}
    classes = list(columns[columns.index(CHOICE) + 1 :]) if CHOICE in columns else []
    if score and score not in columns:
        raise UsageError(
            f"{path.name} has no column '{score}'.", hint=f"It has {', '.join(columns)}."
        )
    if condition and condition not in values | set(classes):
        raise UsageError(
            f"No case is of the class '{condition}'.",
            hint=f"The truth is {', '.join(sorted(values)[:8])}.",
        )
    if not condition and not _yes_or_no(values):
        raise UsageError(
            f"Which class is looked for? The truth is {', '.join(sorted(values)[:8])}.",
            hint="Name it: --condition CLASS; the others together count as its absence.",
        )
    if not condition:
        condition = next((name for name in classes if name.casefold() in TRUE), "")
    held = score or (condition if condition in columns else _find(columns, SCORE))
    if not held:
        raise UsageError(
            f"{path.name} has no column of scores ({', '.join(columns)}).",
            hint="Name it: --score COLUMN.",
        )
    return condition, held


def _yes_or_no(values: set[str]) -> bool:
    return {value.casefold() for value in values} <= TRUE | FALSE


def _decided(text: str, condition: str, *, column: str) -> bool:
    if condition and not _yes_or_no({text, condition}):
        return text == condition
    value = text.casefold()
    if value not in TRUE | FALSE:
        raise UsageError(
            f"'{text}' in the column '{column}' says neither yes nor no.",
            hint="Write yes or no, or name the class that is looked for: --condition CLASS.",
        )
    positive = not condition or condition.casefold() in TRUE
    return (value in TRUE) is positive


def _number(text: str, *, name: str, column: str) -> float:
    """The score; nan where there is none."""
    if text.casefold() in ("", "n/a", "nan"):
        return math.nan
    try:
        value = float(text)
    except ValueError:
        value = math.inf
    if math.isinf(value):
        raise UsageError(
            f"The score of {name} is '{text}'.", hint=f"Scores in '{column}' are finite numbers."
        )
    return value


def _captured(expression: str, name: str) -> str:
    if not expression:
        return ""
    try:
        found = re.search(expression, name)
        text = found.group(1) if found else None
    except (re.error, IndexError) as error:
        raise UsageError(
            f"--subject {expression} is no expression with one group.",
            hint=r"For example (patient\d+).",
        ) from error
    if not text:
        raise UsageError(
            f"--subject {expression} finds nobody in {name}.", hint="Correct the expression."
        )
    return str(text)


def _find(columns: Sequence[str], names: Sequence[str]) -> str:
    """The first of these columns that is there; empty where none."""
    known = {column.casefold(): column for column in columns}
    return next((known[name] for name in names if name in known), "")
