"""The group level of the BIDS-App: a table and a page from the derivatives of all scans."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

from leuko.errors import LeukoError, ReadError
from leuko.pipelines.bids import place_of, prepare_derivatives
from leuko.pipelines.bids_files import failure_of
from leuko.pipelines.bids_names import BidsName, parsed
from leuko.pipelines.case import Case, Problem
from leuko.pipelines.cohort import COHORT_TABLE
from leuko.pipelines.cohort_page import write_page
from leuko.pipelines.cohort_table import COLUMNS, Numbers, Outcome, Status, table
from leuko.pipelines.outputs import write_whole, writing
from leuko.pipelines.statistics import decode

__all__ = ["PHENOTYPE", "bids_group"]

PHENOTYPE = "phenotype/wmh.tsv"
ABOUT = {
    "participant_id": "Participant.",
    "session_id": "Session.",
    "scan": "Name of the FLAIR, without ending.",
    "findings": "What was noticed, as severity:code.",
}


def bids_group(cases: Sequence[Case], *, root: Path, out: Path) -> tuple[Outcome, ...]:
    """Write OUT/phenotype/wmh.tsv with its sidecar, cohort.tsv and cohort.html.

    `cases` are the FLAIRs of the data set `root`: those without derivatives in `out` stand in the
    page as failed, with the reason where one was kept. Raises ReadError (exit 3) where `out` holds
    no derivative at all, and what `prepare_derivatives` raises.
    """
    prepare_derivatives(out, root=root)
    outcomes = tuple(_outcome(case, out=out.absolute()) for case in cases)
    if not any(outcome.numbers for outcome in outcomes):
        raise ReadError(
            f"{out.name} holds no derivative of a scan of {root.name}.",
            hint="First call: leuko bids BIDS OUT participant.",
        )
    with writing(PHENOTYPE):
        (out / PHENOTYPE).parent.mkdir(exist_ok=True)
        write_whole(out / PHENOTYPE, _phenotype(outcomes))
        write_whole((out / PHENOTYPE).with_suffix(".json"), _sidecar())
        write_whole(out / COHORT_TABLE, table(outcomes))
    write_page(outcomes, out=out, asked=len(outcomes))
    return outcomes


def _outcome(case: Case, *, out: Path) -> Outcome:
    name = _name(case)
    place = place_of(name, out=out)
    try:
        return Outcome(case, Status.DONE, Numbers.of(decode(place.record.read_bytes())), place)
    except FileNotFoundError:
        why = _why(place.record.with_name(failure_of(name)))
    except LeukoError as error:
        why = Problem.of(error)
    return Outcome(case, Status.FAILED, None, None, why.what, why.hint, why.exit_code)


def _why(failure: Path) -> Problem:
    """Why a scan has no derivative."""
    try:
        told = json.loads(failure.read_bytes())
        return Problem(str(told["what"]), str(told["hint"]), int(told["exit_code"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Problem(
            "This scan was not segmented yet.",
            "Call: leuko bids BIDS OUT participant.",
            ReadError.exit_code,
        )


def _phenotype(outcomes: Sequence[Outcome]) -> bytes:
    """A row a scan that was segmented; sessions only where there are any."""
    done = [(outcome, _name(outcome.case)) for outcome in outcomes if outcome.numbers]
    sessions = any(name.session for _, name in done)
    lines = io.StringIO()
    rows = csv.writer(lines, dialect="excel-tab", lineterminator="\n")
    session = ["session_id"] if sessions else []
    rows.writerow(["participant_id", *session, "scan", *COLUMNS, "findings"])
    for outcome, name in done:
        assert outcome.numbers is not None
        found = outcome.numbers
        rows.writerow(
            [
                f"sub-{name.subject}",
                *([f"ses-{name.session}" if name.session else "n/a"] if sessions else []),
                name.stem(name.suffix),
                *map(_cell, found.values),
                ";".join(f"{f.severity}:{f.code}" for f in found.findings) or "n/a",
            ]
        )
    return lines.getvalue().encode()


def _sidecar() -> bytes:
    """What each column means, and its unit."""
    said = "White matter hyperintensities of every FLAIR, measured by leuko."
    content: dict[str, object] = {"Description": said}
    content["MeasurementToolMetadata"] = {"Description": said}
    content |= {name: {"Description": said} for name, said in ABOUT.items()}
    for name, column in COLUMNS.items():
        unit = {"Units": column.unit} if column.unit else {}
        content[name] = {"Description": column.definition, **unit}
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def _name(case: Case) -> BidsName:
    name = parsed(case.path)
    assert name is not None, "cases_bids finds only what is named by BIDS"
    return name


def _cell(value: object) -> str:
    if value is None:
        return "n/a"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
