"""Who trains, who validates, who tests: split by subject, and no subject is ever divided.

A split depends on the seed and the names of subjects alone, not on the order of files or on the
machine: subjects are drawn in the order of a hash of their names.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from leuko.datasets.items import Item
from leuko.errors import ReadError, SafetyRefusal, UsageError

__all__ = [
    "PARTS",
    "Split",
    "by_subject",
    "explicit",
    "k_fold",
    "leave_one_site_out",
    "read_split",
    "require_whole_subjects",
]

PARTS = ("train", "valid", "test")
TITLES = {"train": "training", "valid": "validation", "test": "test"}
SHOWN = 3  # names in a message


@dataclass(frozen=True, slots=True)
class Split:
    """Names of the items for training, validation and test, each sorted."""

    train: tuple[str, ...]
    valid: tuple[str, ...] = ()
    test: tuple[str, ...] = ()


def by_subject(items: Sequence[Item], *, valid: float, test: float, seed: int) -> Split:
    """A split of the subjects: `valid` and `test` are shares (below 1) or numbers of subjects.

    Each part has the sites and categories in their proportions, as far as whole subjects allow.
    Raises UsageError (exit 2) where there are too few subjects.
    """
    subjects = _drawn(items, seed=seed, salt="test")
    tested = _spread(subjects, _number(test, of=len(subjects), field="test"))
    return _with_valid(items, tested, valid=valid, of=len(subjects), seed=seed)


def k_fold(items: Sequence[Item], *, folds: int, fold: int, valid: float, seed: int) -> Split:
    """The split of `fold` (from 0) out of `folds`: every subject is in the test of just one.

    Folds differ by one subject at most, also in each site and category; as many folds as subjects
    leave one subject out at a time. `valid` (a share of the others, or a number) is taken from
    what is not test. Raises UsageError (exit 2).
    """
    subjects = _drawn(items, seed=seed, salt="test")
    if not 2 <= folds <= len(subjects):
        raise UsageError(
            f"{folds} folds cannot be made of {len(subjects)} subjects.",
            hint="Folds need one subject each, and there are at least two.",
        )
    if not 0 <= fold < folds:
        raise UsageError(
            f"There is no fold {fold}.", hint=f"Folds count from 0, here up to {folds - 1}."
        )
    tested = subjects[fold::folds]
    return _with_valid(items, tested, valid=valid, of=len(subjects) - len(tested), seed=seed)


def leave_one_site_out(items: Sequence[Item], *, site: str, valid: float, seed: int) -> Split:
    """A split whose test is all of `site`. Raises UsageError (exit 2), SafetyRefusal (exit 5)."""
    sites = sorted({item.site for item in items if item.site})
    if site not in sites or len(sites) < 2:
        known = ", ".join(sites) or "none"
        raise UsageError(
            f"The site {site or 'without a name'} cannot be left out; the sites are: {known}.",
            hint="Say what the site of an example is (site: in the description of the data), and "
            "name one of several.",
        )
    tested = sorted({item.subject for item in items if item.site == site})
    elsewhere = {item.subject for item in items if item.site != site}
    divided = [subject for subject in tested if subject in elsewhere]
    if divided:
        raise _dividing(divided, "are at this site and at another")
    return _with_valid(items, tested, valid=valid, of=len(elsewhere), seed=seed)


def explicit(
    items: Sequence[Item],
    *,
    train: Collection[str] = (),
    valid: Collection[str] = (),
    test: Collection[str] = (),
) -> Split:
    """A split by lists of names: of items, or of subjects, which stand for all of their items.

    Without `train`, everything else is for training. Raises UsageError (exit 2) for a name that
    is not there or given twice, SafetyRefusal (exit 5) where a subject would be divided.
    """
    named = {item.name: (item.name,) for item in items}
    whole: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for item in items:
        whole[item.subject] += (item.name,)
    parts: dict[str, list[str]] = {}
    for part, names in zip(PARTS, (train, valid, test), strict=True):
        unknown = [name for name in names if name not in named and name not in whole]
        if unknown:
            raise UsageError(
                f"The list for {TITLES[part]} names {_some(unknown)}, which is not in the data.",
                hint="Names are those of the examples (files without suffix) or of the subjects.",
            )
        parts[part] = [one for name in names for one in named.get(name) or whole[name]]
    if not train:
        held = {name for names in parts.values() for name in names}
        parts["train"] = [item.name for item in items if item.name not in held]
    split = Split(*(tuple(parts[part]) for part in PARTS))
    require_whole_subjects(items, split)
    return split


def read_split(path: Path, items: Sequence[Item]) -> Split:
    """The split in a file: JSON with the lists train, valid, test; or a .tsv or .csv table.

    A table has the columns name and split. Names are those of items or of subjects. Raises what
    `explicit` raises, ReadError (exit 3) where the file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        parts = _from_json(text) if path.suffix.lower() == ".json" else _from_table(path, text)
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(f"The split {path.name} cannot be read.", hint="Check the path.") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UsageError(
            f"{path.name} holds no split.",
            hint='JSON: {"train": [...], "valid": [...], "test": [...]}; .tsv or .csv: columns '
            "name and split, which is train, valid or test.",
        ) from error
    return explicit(items, train=parts["train"], valid=parts["valid"], test=parts["test"])


def require_whole_subjects(items: Sequence[Item], split: Split) -> None:
    """Raise SafetyRefusal (exit 5) where a split divides a subject.

    Raises UsageError (exit 2) for names that are not in the data or in the split twice, and where
    nothing is left for training.
    """
    subject_of = {item.name: item.subject for item in items}
    parts_of: dict[str, set[str]] = defaultdict(set)
    seen: set[str] = set()
    for part in PARTS:
        for name in getattr(split, part):
            if name not in subject_of:
                raise UsageError(
                    f"The split names {name}, which is not in the data.",
                    hint="Make the split again, or check where the data are.",
                )
            if name in seen:
                raise UsageError(
                    f"{name} is in the split twice.", hint="Each example is in one part, once."
                )
            seen.add(name)
            parts_of[subject_of[name]].add(part)
    divided = sorted(subject for subject, parts in parts_of.items() if len(parts) > 1)
    if divided:
        between = [TITLES[part] for part in PARTS if part in parts_of[divided[0]]]
        raise _dividing(divided, f"would be in {' and in '.join(between)}")
    if not split.train:
        raise UsageError(
            "The split leaves nothing for training.",
            hint="Take fewer subjects for validation and test.",
        )


def _from_json(text: str) -> dict[str, list[str]]:
    held = json.loads(text)
    if not set(held).issubset(PARTS) or not all(isinstance(names, list) for names in held.values()):
        raise ValueError("not a split")
    return {part: [str(name) for name in held.get(part, [])] for part in PARTS}


def _from_table(path: Path, text: str) -> dict[str, list[str]]:
    separator = "," if path.suffix.lower() == ".csv" else "\t"
    parts: dict[str, list[str]] = {part: [] for part in PARTS}
    for row in csv.DictReader(text.splitlines(), delimiter=separator):
        parts[row["split"].strip()].append(row["name"].strip())
    return parts


def _with_valid(
    items: Sequence[Item], tested: Sequence[str], *, valid: float, of: int, seed: int
) -> Split:
    """The split whose test is `tested`; validation is drawn from the other subjects."""
    others = _drawn(
        [item for item in items if item.subject not in set(tested)], seed=seed, salt="valid"
    )
    number = _number(valid, of=of, field="valid")
    if number >= len(others):
        raise UsageError(
            f"Too few subjects ({len(others) + len(tested)}): {len(tested)} for test and "
            f"{number} for validation leave none for training.",
            hint="Bring more subjects, or do without validation (split.valid: 0) or test "
            "(split.test: 0); a subject is never divided.",
        )
    validated = set(_spread(others, number))
    part_of = dict.fromkeys(others, "train") | dict.fromkeys(validated, "valid")
    part_of |= dict.fromkeys(tested, "test")
    names: dict[str, list[str]] = {part: [] for part in PARTS}
    for item in sorted(items, key=lambda item: item.name):
        names[part_of[item.subject]].append(item.name)
    split = Split(*(tuple(names[part]) for part in PARTS))
    require_whole_subjects(items, split)
    return split


def _drawn(items: Iterable[Item], *, seed: int, salt: str) -> list[str]:
    """The subjects, those of one kind (sites, categories) together, in an order drawn by lot."""
    kinds: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for item in items:
        kinds[item.subject].add((item.site, item.category))
    groups: dict[str, list[str]] = defaultdict(list)
    for subject, kind in kinds.items():
        groups[repr(sorted(kind))].append(subject)

    def lot(text: str) -> tuple[bytes, str]:
        return hashlib.sha256(f"{seed}\n{salt}\n{text}".encode()).digest(), text

    return [
        subject for kind in sorted(groups, key=lot) for subject in sorted(groups[kind], key=lot)
    ]


def _spread(subjects: Sequence[str], number: int) -> list[str]:
    """`number` of the subjects at even distances, so that each kind gives its proportion."""
    count = len(subjects)
    return [
        subject
        for place, subject in enumerate(subjects)
        if (place + 1) * number // count > place * number // count
    ]


def _number(value: float, *, of: int, field: str) -> int:
    """How many of `of` subjects a share below 1 or a whole number means; a share is one or more."""
    if value < 0 or (value >= 1 and value != int(value)):
        raise UsageError(
            f"{field}: {value} is neither a share nor a number of subjects.",
            hint="Give a share such as 0.2, or a whole number of subjects.",
        )
    if value >= 1 or value == 0:
        return int(value)
    return max(1, round(value * of))


def _dividing(subjects: Sequence[str], how: str) -> SafetyRefusal:
    count = f"{len(subjects)} subject{'s' if len(subjects) > 1 else ''}"
    return SafetyRefusal(
        f"The split divides {count} ({_some(subjects)}), who {how}.",
        hint="Put all examples of a subject into one part. If they are different people, say with "
        "subject: how the name of an example tells them apart.",
    )


def _some(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
