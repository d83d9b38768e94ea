"""Cases from a BIDS data set: every FLAIR of its subjects, with T1, age and group where known."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from leuko.errors import ReadError, UsageError
from leuko.pipelines.bids_names import BidsName, parsed
from leuko.pipelines.case import OLDEST_AGE, Case, sex_of

__all__ = ["DESCRIPTION", "cases_of_bids", "is_bids"]

DESCRIPTION = "dataset_description.json"
ENDS = (".nii.gz", ".nii")
SAME_SCAN = ("acq", "run", "rec")  # what a T1 shares with its FLAIR where both say it
About = Mapping[str, Mapping[str, str]]


def is_bids(folder: Path) -> bool:
    """Whether a folder is a BIDS data set: it has a dataset_description.json."""
    return (folder / DESCRIPTION).is_file()


def cases_of_bids(
    root: Path, *, subjects: Sequence[str] = (), sessions: Sequence[str] = ()
) -> list[Case]:
    """A case for each FLAIR in sub-*/[ses-*/]anat, by name; derivatives and sourcedata don't count.

    `subjects` and `sessions` (labels without sub- and ses-) choose among them; empty: all. Age, sex
    and group are those of sub-*_sessions.tsv, else of participants.tsv. Raises ReadError (exit 3)
    where the folder is not there, UsageError (exit 2) where it holds no such FLAIR, or none of a
    subject or session that was asked for.
    """
    if not root.is_dir():
        raise ReadError(f"There is no folder {root.name}.", hint="Check the path.")
    found = sorted(
        (path, name)
        for path in root.glob("sub-*/**/anat/*")
        if path.name.endswith(ENDS)
        and (name := parsed(path)) is not None
        and name.suffix == "FLAIR"
    )
    _require(subjects, {name.subject for _, name in found}, key="sub", root=root)
    _require(sessions, {name.session for _, name in found}, key="ses", root=root)
    chosen = [
        (path, name)
        for path, name in found
        if (not subjects or name.subject in subjects) and (not sessions or name.session in sessions)
    ]
    if not chosen:
        raise UsageError(
            f"The BIDS data set {root.name} holds no FLAIR.",
            hint="FLAIRs are called sub-01_FLAIR.nii.gz and lie in sub-01/anat.",
        )
    people = _table(root / "participants.tsv", key="participant_id")
    return [_case(path, name, root=root, people=people) for path, name in chosen]


def _require(wanted: Sequence[str], there: set[str], *, key: str, root: Path) -> None:
    lost = [label for label in wanted if label not in there]
    if lost:
        raise UsageError(
            f"{root.name} holds no FLAIR of {key}-{lost[0]}.",
            hint=f"Give the label without {key}-; there are: {', '.join(sorted(there)[:5])}.",
        )


def _case(path: Path, name: BidsName, *, root: Path, people: About) -> Case:
    about = dict(people.get(f"sub-{name.subject}", {}))
    if name.session:
        beside = root / f"sub-{name.subject}" / f"sub-{name.subject}_sessions.tsv"
        visits = _table(beside, key="session_id")
        about |= {k: v for k, v in visits.get(f"ses-{name.session}", {}).items() if v}
    return Case(
        name.stem(), path, t1=_t1(path, name), age=_age(about.get("age", "")),
        sex=sex_of(about.get("sex", "")), group=about.get("group", ""),
    )  # fmt: skip


def _t1(path: Path, flair: BidsName) -> Path | None:
    """The T1 of the same session, where one fits best."""
    beside = [
        (other, name)
        for other in sorted(path.parent.iterdir())
        if other.name.endswith(ENDS) and (name := parsed(other)) is not None
        if name.suffix == "T1w" and "ce" not in name.entities
    ]

    def shared(name: BidsName) -> int:
        pairs = ((name.entities.get(key), flair.entities.get(key)) for key in SAME_SCAN)
        return sum((mine == its) - (mine != its) for mine, its in pairs if mine and its)

    return max(beside, key=lambda item: shared(item[1]))[0] if beside else None


def _age(given: str) -> float | None:
    """Years; None where it is not known, or not a number (as in `89+`)."""
    try:
        age = float(given)
    except ValueError:
        return None
    return age if 0 <= age <= OLDEST_AGE else None


def _table(path: Path, *, key: str) -> About:
    """The rows of a table of people or sessions, by their identifier; n/a is empty."""
    if not path.is_file():
        return {}
    rows = csv.DictReader(
        path.read_text(encoding="utf-8-sig", errors="replace").splitlines(), delimiter="\t"
    )
    return {
        row[key]: {
            name: "" if value in (None, "n/a") else value
            for name, value in row.items()
            if name is not None
        }
        for row in rows
        if row.get(key)
    }
