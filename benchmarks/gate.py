r"""The quality gate, measured: what is found in good scans, in bad ones and in corrupted copies.

    python benchmarks/gate.py                    all scans (an hour on one core)
    python benchmarks/gate.py --no-corrupted     scans as they are
    python benchmarks/gate.py --tables           the tables from what was measured so far

Good FLAIRs and their corrupted copies go through the whole main job with the packaged weights;
nothing is refused. What is measured is kept in benchmarks/out/gate/rows.jsonl, and an interrupted
run goes on from there; delete it to measure anew. Prints Markdown and writes gate.md beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import msgspec

import degrade
from corruptions import named
from gate_scans import Scan, flairs, others, tumours
from gate_tables import Row, tables
from leuko.errors import LeukoError
from leuko.findings import Severity
from leuko.image.image import Image
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import Model, load_model
from leuko.pipelines.observe import observe
from leuko.pipelines.segment import segment
from leuko.progress import Journal

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("LEUKO_TEST_DATA", HERE.parents[1] / "shared" / "data"))
OUT = HERE / "out" / "gate"
START = time.monotonic()
GOOD, TUMOUR, OTHER = "good FLAIR", "FLAIR with a glioma", "no FLAIR"
EXPECTED = {TUMOUR: ("scan.mass",)}


def main(arguments: Sequence[str]) -> int:
    """Measure what the command line asks for and write the tables."""
    options = _parse(arguments)
    OUT.mkdir(parents=True, exist_ok=True)
    kept = OUT / "rows.jsonl"
    rows = _kept(kept)
    if not options.tables:
        known = {(row.scan, row.kind) for row in rows}
        with kept.open("a", encoding="utf-8") as file:
            for row in _measured(options, known):
                file.write(json.dumps(asdict(row)) + "\n")
                file.flush()
                rows.append(row)
    if not rows:
        print(f"Nothing was measured, and none of the scans is in {options.data}.", file=sys.stderr)
        return 2
    text = f"`python benchmarks/gate.py`\n\n{tables(rows, good=GOOD, other=OTHER, tumour=TUMOUR)}"
    (OUT / "gate.md").write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0


def _measured(options: argparse.Namespace, known: set[tuple[str, str]]) -> Iterator[Row]:
    """Scans as they are, then the corrupted copies of good ones; what is known is left out."""
    model = load_model(SegmentConfig(policy="lenient"))
    for kind, scans in ((GOOD, flairs), (TUMOUR, tumours), (OTHER, others)):
        for scan in scans(options.data):
            if (scan.name, kind) not in known:
                yield _as_it_is(scan, kind, model)
    for scan in flairs(options.data):
        if options.corrupted and scan.corrupted:
            yield from _corrupted(scan, model, known)


def _as_it_is(scan: Scan, kind: str, model: Model) -> Row:
    try:
        image = scan.load()
    except LeukoError as error:  # several volumes, colours
        return Row(scan.name, kind, (), (type(error).__name__,), (), ())
    return _found(scan.name, kind, EXPECTED.get(kind, ()), image, model)


def _corrupted(scan: Scan, model: Model, known: set[tuple[str, str]]) -> Iterator[Row]:
    flair = degrade.canonical(scan.load())
    anatomy = None
    for name, codes, change in named(flair, seed=sum(map(ord, scan.name))):
        if (scan.name, name) in known:
            continue
        if anatomy is None:
            config = SegmentConfig(policy="lenient")
            seen = observe(flair, config=config, model=model, journal=Journal())
            anatomy = seen.prediction.anatomy
        yield _found(scan.name, name, codes, change(flair, anatomy), model)


def _found(name: str, kind: str, expected: tuple[str, ...], image: Image, model: Model) -> Row:
    try:
        result = segment(image, config=SegmentConfig(policy="lenient"), model=model)
    except LeukoError as error:
        return Row(name, kind, expected, (type(error).__name__,), (), ())
    by = {
        severity: tuple(sorted({f.code for f in result.findings if f.severity is severity}))
        for severity in Severity
    }
    row = Row(name, kind, expected, by[Severity.REFUSAL], by[Severity.WARNING], by[Severity.NOTE])
    _say(f"{name} {kind}: {', '.join(sorted(row.codes)) or '-'}")
    return row


def _kept(file: Path) -> list[Row]:
    if not file.is_file():
        return []
    lines = file.read_text(encoding="utf-8").splitlines()
    return msgspec.convert([json.loads(line) for line in lines], list[Row])


def _say(text: str) -> None:
    print(f"{time.monotonic() - START:7.1f} s  {text}", file=sys.stderr, flush=True)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--no-corrupted", dest="corrupted", action="store_false")
    parser.add_argument("--tables", action="store_true", help="of what was measured so far")
    parser.add_argument("--data", type=Path, default=SHARED, help="the data folder")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
