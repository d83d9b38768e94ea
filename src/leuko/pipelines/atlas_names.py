"""What the regions of an atlas are called: the tables that atlases come with."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

from leuko.errors import ReadError
from leuko.findings import Finding, Severity
from leuko.formats.labels import read_labels

__all__ = ["read_names", "side_of"]

MAX_BYTES = 1 << 22
_XML_LABEL = re.compile(r'<label\s+[^>]*?index="(\d+)"[^>]*>([^<]*)</label>')
_PROBABILISTIC = re.compile(r"<type>\s*prob", re.IGNORECASE)
_LEFT = re.compile(r"(^|[^a-z])(left|lh|l)([^a-z]|$)", re.IGNORECASE)
_RIGHT = re.compile(r"(^|[^a-z])(right|rh|r)([^a-z]|$)", re.IGNORECASE)


def read_names(
    path: Path, *, values: Collection[int]
) -> tuple[dict[int, str], tuple[Finding, ...]]:
    """Names by value from an atlas's table, and what is odd about it.

    Known are FSL's XML (of a probabilistic atlas the picture of its labels holds index + 1, of one
    of labels the index itself), the tables of `formats.labels`, and tables between tabs in which a
    column of values stands before that of names; of several such pairs the one that fits `values`,
    those of the picture, is taken. Raises ReadError (exit 3) where the file is none of these.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ReadError(f"{path.name} is too large for names of regions.")
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise ReadError(
            f"{path.name} cannot be read: {error.strerror}.", hint="Check --atlas-labels."
        ) from error
    names = _from_xml(text)
    odd: tuple[Finding, ...] = ()
    if not names:
        names, odd = _from_columns(text, values=values, file=path.name)
    if not names:
        names = {label.value: label.name for label in read_labels(path)}
    missing = sorted(set(values) - set(names))
    if missing:
        shown = ", ".join(map(str, missing[:5])) + (" ..." if len(missing) > 5 else "")
        odd = (
            *odd,
            Finding(
                "atlas.unnamed",
                Severity.WARNING,
                f"{path.name} names no region with the value {shown}.",
                "Does this table belong to this atlas?",
            ),
        )
    return names, odd


def side_of(name: str, *, among: Collection[str]) -> str:
    """`left`, `right` or nothing, by a region's name among those of its atlas.

    Words count (left, L, lh), and a last letter where the same name ends in the other one, too.
    """
    left, right = _LEFT.search(name), _RIGHT.search(name)
    if bool(left) != bool(right):
        return "left" if left else "right"
    stem, last = name[:-1], name[-1:]
    if last in ("L", "R") and stem + {"L": "R", "R": "L"}[last] in among:
        return {"L": "left", "R": "right"}[last]
    return ""


def _from_xml(text: str) -> dict[int, str]:
    """FSL's atlas description; nothing in it is executed or looked up."""
    found = {
        int(index): " ".join(html.unescape(name).split())
        for index, name in _XML_LABEL.findall(text)
    }
    if _PROBABILISTIC.search(text):
        return {index + 1: name for index, name in found.items()}
    return {index: name for index, name in found.items() if index > 0}


def _from_columns(
    text: str, *, values: Collection[int], file: str
) -> tuple[dict[int, str], tuple[Finding, ...]]:
    """A table between tabs without the usual headings; names that disagree are counted."""
    rows = [[cell.strip() for cell in line.split("\t")] for line in text.splitlines()]
    width = max((len(row) for row in rows), default=0)
    best: dict[int, Counter[str]] = {}
    for column in range(width - 1):
        found: dict[int, Counter[str]] = {}
        for row in rows:
            if len(row) > column + 1 and row[column].isdigit() and row[column + 1]:
                if row[column + 1].isdigit():
                    break  # two columns of values are no names
                found.setdefault(int(row[column]), Counter())[row[column + 1]] += 1
        if _fits(found, values) > _fits(best, values):
            best = found
    best.pop(0, None)
    names = {value: counted.most_common(1)[0][0] for value, counted in best.items()}
    return names, _contradictions(best, names, file=file)


def _fits(found: Mapping[int, object], values: Collection[int]) -> tuple[int, int]:
    """How many values have a name, then how few names have no value."""
    named = len(set(found) & set(values))
    return (named, -len(set(found) - set(values))) if named else (0, -(1 << 30))


def _contradictions(
    found: Mapping[int, Counter[str]], names: Mapping[int, str], *, file: str
) -> tuple[Finding, ...]:
    told = [
        f"{value} is called {' and '.join(sorted(counted))} ({names[value]} is taken)"
        for value, counted in sorted(found.items())
        if len(counted) > 1
    ]
    twice = [name for name, count in Counter(names.values()).items() if count > 1]
    if twice:
        told.append(f"several regions are called {', '.join(sorted(twice))}")
    if not told:
        return ()
    return (
        Finding(
            "atlas.names",
            Severity.WARNING,
            f"The names in {file} contradict each other: {'; '.join(told)}.",
            "Check the table against the publication of the atlas, left and right first.",
        ),
    )
