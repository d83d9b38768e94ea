"""What undoes a deidentification, and is kept apart from it: names, secret, mapping."""

from __future__ import annotations

import csv
import io
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from leuko.errors import ReadError, UsageError, WriteError
from leuko.pipelines.outputs import writing
from leuko.pipelines.tab_texts import tab_separated

if TYPE_CHECKING:
    from leuko.dicom.deidentify import Deidentifier

__all__ = ["SECRET_BYTES", "mapping_place", "secret_of", "subjects_of", "write_mapping"]

SECRET_BYTES = 32


def subjects_of(file: Path) -> dict[str, str]:
    """A table of names: two columns, Patient ID and subject, separated by commas or tabs."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(f"{file.name} cannot be read as a table (CSV, UTF-8).") from error
    lines = csv.reader(io.StringIO(text), delimiter="\t" if "\t" in text else ",")
    table = {row[0].strip(): row[1].strip() for row in lines if len(row) >= 2 and row[0].strip()}
    for heading in ("patient_id", "PatientID", "Patient ID"):
        table.pop(heading, None)
    if not table:
        raise UsageError(
            f"{file.name} holds no table of subjects.",
            hint="Two columns are needed: Patient ID, name to use.",
        )
    return table


def secret_of(file: Path) -> bytes:
    """The secret in a file; where there is none, a random one is written, for its owner alone."""
    try:
        if file.exists():
            return file.read_bytes().strip()
        content = secrets.token_hex(SECRET_BYTES).encode()
        _write_private(file, content + b"\n")
    except OSError as error:
        raise WriteError(f"{file.name} cannot be read or written: {error.strerror}.") from error
    return content


# ---------------------------------------------------------------- the table of old and new


def mapping_place(mapping: str | os.PathLike[str], out: str | os.PathLike[str]) -> Path | None:
    """Where the mapping may be written; None where none is wanted, UsageError where not."""
    if not os.fspath(mapping):
        return None
    place = Path(os.path.realpath(mapping))
    if Path(os.path.realpath(out)) in place.parents:
        raise UsageError(
            "The mapping would lie beside the deidentified files and give everything away.",
            hint="Keep it in another folder: --mapping FILE.",
        )
    if place.exists():
        raise UsageError(
            f"{place.name} is there already; a mapping is never overwritten.",
            hint="Choose another name.",
        )
    return place


def write_mapping(place: Path, cleaner: Deidentifier, names: Sequence[tuple[str, str]]) -> None:
    """Who and what became which, for the one who keeps the key."""
    rows: list[tuple[object, ...]] = [("what", "old", "new", "days_shifted")]
    for key, (subject, days) in cleaner.patients.items():
        shown = days if cleaner.rules.options.retain_dates == "modified" else ""
        rows.append(("patient", " ".join(key.split("\0")[1:]), subject, shown))
    if not cleaner.rules.options.retain_uids:
        rows += [("uid", old, new, "") for old, new in cleaner.uids.seen.items()]
    rows += [("file", old, new, "") for old, new in names]
    with writing(place.name):
        _write_private(place, tab_separated(rows))


def _write_private(file: Path, content: bytes) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as written:
        written.write(content)
