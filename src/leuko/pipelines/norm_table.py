"""A table of norms that a user brings: published percentiles by age, typed in from a paper."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal

from leuko.errors import UsageError
from leuko.quantify.norms import NormBand, NormTable, Sex

__all__ = ["read_norms"]

MOST_BYTES = 1 << 20
HINT = (
    "Columns: from_age, to_age, sex (male, female or empty) and percentiles (p5, p25, p50 ...) in "
    "ml; lines before them: '# source: ...', '# space: MNI' or native, '# people: 1234'. "
    "docs/scales.md shows one."
)


def read_norms(path: Path) -> NormTable:
    """The table in a TSV or CSV file; see docs/scales.md.

    An age between two bands is taken to lie between them only where '# rises: yes' says that the
    source finds volumes to rise with age. Raises UsageError (exit 2) for what is no such table.
    """
    try:
        changed = path.stat().st_mtime_ns
    except OSError as error:
        raise UsageError(f"{path.name} cannot be read.", hint=HINT) from error
    return _read(path, changed)


@lru_cache(maxsize=4)
def _read(path: Path, changed: int) -> NormTable:  # noqa: ARG001 (a new file is read anew)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"{path.name} is too large for a table of norms.", hint=HINT)
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path.name} cannot be read as a table.", hint=HINT) from error
    about = dict(_told(line) for line in lines if line.startswith("#") and ":" in line)
    rows = [line for line in lines if line.strip() and not line.startswith("#")]
    bands = _bands(rows, path.name)
    if not about.get("source"):
        raise UsageError(f"{path.name} does not name its source.", hint=HINT)
    people = about.get("people", "")
    return NormTable(
        source=about["source"],
        people=int(people) if people.isdigit() else None,
        from_age=min(band.from_age for band in bands),
        to_age=max(band.to_age for band in bands),
        space=_space(about.get("space", ""), path.name),
        bands=bands,
        rises=about.get("rises", "").lower() == "yes",
        about=about.get("about", ""),
    )


def _told(line: str) -> tuple[str, str]:
    name, _, value = line.lstrip("# ").partition(":")
    return name.strip().lower(), value.strip()


def _space(named: str, file: str) -> Literal["MNI", "native"]:
    if named.lower().startswith("mni"):
        return "MNI"
    if named.lower() == "native":
        return "native"
    raise UsageError(f"{file} does not say in which space volumes were measured.", hint=HINT)


def _bands(rows: Sequence[str], file: str) -> tuple[NormBand, ...]:
    if not rows:
        raise UsageError(f"{file} holds no rows.", hint=HINT)
    delimiter = "\t" if "\t" in rows[0] else ","
    table = csv.DictReader(rows, delimiter=delimiter)
    names = [name for name in table.fieldnames or () if name and _percentile(name) is not None]
    found = []
    for number, row in enumerate(table, start=1):
        try:
            cuts = tuple(
                sorted((_percentile(name) or 0.0, float(row[name])) for name in names if row[name])
            )
            band = NormBand(float(row["from_age"]), float(row["to_age"]), _sex(row), cuts)
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(f"Row {number} of {file} is no band of norms.", hint=HINT) from error
        volumes = [ml for _, ml in cuts]
        if (
            not cuts
            or volumes != sorted(volumes)
            or volumes[0] < 0
            or not band.from_age < band.to_age
        ):
            raise UsageError(
                f"Row {number} of {file}: volumes must rise with the percentile, and ages too.",
                hint=HINT,
            )
        found.append(band)
    if not found:
        raise UsageError(f"{file} holds no rows.", hint=HINT)
    return tuple(found)


def _percentile(name: str) -> float | None:
    """The percentile that a column is for: p5, P97.5."""
    try:
        value = float(name[1:]) if name[:1] in "pP" else -1.0
    except ValueError:
        return None
    return value if 0 < value < 100 else None


def _sex(row: dict[str, str]) -> Sex | None:
    named = (row.get("sex") or "").strip().lower()
    known: dict[str, Sex | None] = {
        "": None, "both": None, "m": "male", "male": "male", "f": "female", "female": "female",
    }  # fmt: skip
    return known[named]
