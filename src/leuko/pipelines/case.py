"""One scan of a run: its name, its files, and what a list or a data set says about it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from leuko.errors import LeukoError

if TYPE_CHECKING:
    from leuko.pipelines.from_scanner import Visit

__all__ = ["OLDEST_AGE", "Case", "Problem", "Sex", "safe_name", "sex_of"]

Sex = Literal["male", "female"]
OLDEST_AGE = 130.0  # years; more is no age
UNSAFE = re.compile(r"[^\w.-]+")
LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a case cannot run at all, as an error would say it."""

    what: str
    hint: str
    exit_code: int

    @classmethod
    def of(cls, error: LeukoError) -> Problem:
        """The problem that an error tells."""
        return cls(error.what, error.hint, error.exit_code)


@dataclass(frozen=True, slots=True)
class Case:
    """A scan: the name of its folder in OUT, unique and safe, its file, and its study if DICOM.

    `t1` is the T1 of the same head; `age` in years and `sex` are the person's, `group` a word of
    the user's. A case with a `problem` was asked for and cannot run: it is listed as failed.
    """

    name: str
    path: Path
    visit: Visit | None = None
    t1: Path | None = None
    age: float | None = None
    sex: Sex | None = None
    group: str = ""
    problem: Problem | None = None


def safe_name(text: str) -> str:
    """The text as a file name that every disk takes: letters, digits, `_`, `-` and `.`."""
    return UNSAFE.sub("_", text).strip("._")[-LONGEST_NAME:] or "case"


def sex_of(word: str) -> Sex | None:
    """The sex that a table's cell says (`F`, `female`, `M`, `male`); None for anything else."""
    return {"f": "female", "female": "female", "m": "male", "male": "male"}.get(  # type: ignore[return-value]
        word.strip().casefold()
    )
