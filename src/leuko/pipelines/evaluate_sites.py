"""Which site or scanner each case is from, and whether training has seen it: a table of text."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from leuko.errors import ReadError, UsageError

__all__ = ["SiteRow", "read_sites", "site_of"]

CASE = ("case", "id", "name", "subject", "participant_id", "item")
SITE = ("site", "scanner", "center", "centre")
SEEN = ("seen", "in_training", "trained")
TRUE, FALSE = {"1", "yes", "true", "seen", "y"}, {"0", "no", "false", "unseen", "n"}
LARGEST = 1 << 24


@dataclass(frozen=True, slots=True)
class SiteRow:
    """Where a case is from; `seen` says whether training knew that site, None where unknown."""

    site: str
    seen: bool | None = None


def read_sites(path: Path) -> Mapping[str, SiteRow]:
    """Case to site, of a .tsv or .csv with the columns `case`, `site` and maybe `seen` (yes, no).

    Raises ReadError (exit 3) where there is no such file, UsageError (exit 2) where the columns
    are not there or a value of `seen` is neither yes nor no.
    """
    if not path.is_file():
        raise ReadError(f"There is no {path.name}.", hint="Check the path of --sites.")
    if path.stat().st_size > LARGEST:
        raise UsageError(f"{path.name} is too large for a table of sites.", hint="Check --sites.")
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    first = text.partition("\n")[0]
    reader = csv.DictReader(text.splitlines(), delimiter="\t" if "\t" in first else ",")
    columns = [name or "" for name in reader.fieldnames or ()]
    case, site = _column(columns, CASE), _column(columns, SITE)
    if case is None or site is None:
        raise UsageError(
            f"{path.name} has the columns {', '.join(columns) or 'none'}.",
            hint="It needs a column 'case' and a column 'site' (and may have 'seen': yes or no).",
        )
    seen = _column(columns, SEEN)
    rows = {}
    for row in reader:
        if row.get(case):
            known = _seen(row.get(seen) or "", path.name) if seen else None
            rows[row[case].strip()] = SiteRow((row.get(site) or "").strip(), known)
    return MappingProxyType(rows)


def site_of(case: str, *, sites: Mapping[str, SiteRow]) -> SiteRow | None:
    """The row of a case, or of one of the folders that its name consists of."""
    return next((sites[name] for name in (case, *case.split("/")) if name in sites), None)


def _column(columns: list[str], names: tuple[str, ...]) -> str | None:
    known = {column.strip().lower(): column for column in columns}
    return next((known[name] for name in names if name in known), None)


def _seen(text: str, file: str) -> bool | None:
    value = text.strip().lower()
    if value in TRUE or value in FALSE:
        return value in TRUE
    if value in ("", "n/a"):
        return None
    raise UsageError(
        f"'{text}' in the column 'seen' of {file} says neither yes nor no.",
        hint="Write yes or no.",
    )
