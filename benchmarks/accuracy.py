"""Accuracy of masks on real scans with truth: one command, every set, the peers beside.

    python benchmarks/accuracy.py                                  the packaged weights
    python benchmarks/accuracy.py --weights runs/NAME              a training run, ended or going on
    python benchmarks/accuracy.py --weights runs/NAME --brief      a line a set
    python benchmarks/accuracy.py --weights MODEL.xml              an exported model
    python benchmarks/accuracy.py --masks FOLDER                   masks that are there already
    python benchmarks/accuracy.py --grid threshold=0.3,0.4,0.5 --grid refine_level=0.4,0.5

Sets and definitions: see scan_sets.py; `--sets` takes names of sets or groups, with commas.
`--set NAME=VALUE` overrides a parameter of `leuko segment` (a field of SegmentConfig);
`--views flips,planes` averages over other views than the card of the weights says;
`--t1` shows a network that takes one the T1 that lies beside a FLAIR (t1*.nii.gz);
`--grid NAME=A,B,...` tries every combination and prints the means of each. The network runs once
a scan: what it predicts is kept in benchmarks/out/predictions by the weights' checksum.

Prints Markdown tables: means with their 95 % bootstrap intervals over scans, lesions found and true
by size with the number they are a share of (intervals over scans too), the bias of the summed
volumes and the mean bias per case. Writes benchmarks/out/accuracy/NAME/: scores.json, scores.md and
an overlay a case (green hit, red false, blue missed); a grid writes grid.json and grid.md. --brief
only prints; * marks sets with scans that the weights were trained on.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import overlays
from leuko import __version__
from leuko.formats.read import read_scan
from leuko.models.card import Views
from masks_of import FolderMasks, Masks
from scan_sets import SETS, Case, ScanSet, find_cases, find_sets
from score_tables import brief, grid_table, report, seen_note
from scoring import Row, row_record, score, size_records, summary_record, uncut

__all__ = ["name_and_value", "score_all", "views_of"]

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("LEUKO_TEST_DATA", HERE.parents[1] / "shared" / "data"))
OUT = HERE / "out"
START = time.monotonic()


def main(arguments: Sequence[str]) -> int:
    """Score what the command line asks for."""
    options = _parse(arguments)
    if options.masks is not None:
        masks: Masks = FolderMasks(options.masks, name=options.name or options.masks.name)
    else:
        from network_masks import NetworkMasks  # loads the network's engines

        masks = NetworkMasks.of(
            options.weights,
            name=options.name,
            store=options.out / "predictions",
            changes=options.set,
            views=options.views,
            t1=options.t1,
        )
    found = ((entry, find_cases(options.data, entry)) for entry in options.sets)
    sets = [(entry, cases) for entry, cases in found if cases]
    if not sets:
        print(f"There are no scans of these sets in {options.data}.", file=sys.stderr)
        return 2
    if options.brief:
        _print_brief(masks, sets)
        return 0
    out = options.out / "accuracy" / masks.name
    out.mkdir(parents=True, exist_ok=True)
    if options.grid:
        # What the grid turns does not touch the anatomy.
        sets = [(entry, cases) for entry, cases in sets if entry.definition != "ventricles"]
        _try_grid(masks, sets, options.grid, out)
    else:
        score_all(masks, sets, out, with_overlays=options.overlays, with_peers=options.peers)
    _say(f"written to {out}")
    return 0


def _print_brief(masks: Masks, sets: list[tuple[ScanSet, list[Case]]]) -> None:
    for entry, cases in sets:
        rows = [
            score(entry, case, masks.mask(entry, case, {}), method=masks.name, everything=False)[0]
            for case in cases
        ]
        print(brief(entry, rows, seen=masks.seen(entry, cases)), flush=True)


def score_all(
    masks: Masks,
    sets: list[tuple[ScanSet, list[Case]]],
    out: Path,
    *,
    with_overlays: bool,
    with_peers: bool,
) -> None:
    """Print the tables of the sets and write them, scores.json and the overlays into `out`."""
    out.mkdir(parents=True, exist_ok=True)
    sections = [_head(f"Accuracy of {masks.name}", masks)]
    record: dict[str, object] = {}
    for entry, cases in sets:
        rows = []
        for case in cases:
            _say(f"{entry.key} {case.name}")
            mask = masks.mask(entry, case, {})
            row, pair = score(entry, case, mask, method=masks.name, everything=True)
            rows.append(row)
            if with_overlays:
                overlays.draw(
                    read_scan(case.flair),
                    *uncut(pair),
                    caption=f"{entry.key} {case.name}   {masks.name}   {_caption(row)}",
                    path=out / f"{entry.key}_{case.name}.png",
                )
        for peer in entry.peers if with_peers else ():
            rows += [
                score(entry, case, peer.mask(case), method=peer.name, everything=False)[0]
                for case in cases
            ]
        seen = masks.seen(entry, cases)
        sections.append(report(entry, rows, ours=masks.name, seen=seen))
        record[entry.key] = {**_set_record(entry, rows), "trained_on": seen}
    print("\n".join(sections))
    _write(out / "scores.md", "\n".join(sections))
    _write(out / "scores.json", _as_json(masks, sets=record))


def _try_grid(
    masks: Masks,
    sets: list[tuple[ScanSet, list[Case]]],
    grid: Mapping[str, list[str]],
    out: Path,
) -> None:
    combinations = [
        dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())
    ]
    sections = [_head(f"Grid over {', '.join(grid)}: {masks.name}", masks)]
    record: list[object] = []
    for entry, cases in sets:
        tried: dict[str, list[Row]] = {_text(changes): [] for changes in combinations}
        for case in cases:
            _say(f"{entry.key} {case.name}")
            for changes in combinations:
                mask = masks.mask(entry, case, changes)
                text = _text(changes)
                tried[text].append(score(entry, case, mask, method=text, everything=False)[0])
        record += [
            {"set": entry.key, "parameters": changes, "mean": summary_record(tried[_text(changes)])}
            for changes in combinations
        ]
        title = f"## {entry.key} ({entry.definition})"
        table = grid_table(entry, list(tried.items()))
        sections.append("\n\n".join([title, *seen_note(masks.seen(entry, cases)), table]))
        print(sections[-1], flush=True)
    _write(out / "grid.md", "\n".join(sections))
    _write(out / "grid.json", _as_json(masks, tried=record))


def _text(changes: Mapping[str, str]) -> str:
    return " ".join(f"{key}={value}" for key, value in changes.items())


def _head(title: str, masks: Masks) -> str:
    """Title, command, and what the weights say of their training."""
    training = str(masks.about().get("training", ""))
    return "\n\n".join([f"# {title}", f"`{_command()}`", *([training] if training else [])]) + "\n"


def _set_record(entry: ScanSet, rows: list[Row]) -> dict[str, object]:
    methods: dict[str, list[Row]] = {}
    for row in rows:
        methods.setdefault(row.method, []).append(row)
    return {
        "definition": entry.definition,
        "truth": entry.title,
        "mean": {name: summary_record(own) for name, own in methods.items()},
        "sizes": {name: size_records(own) for name, own in methods.items()},
        "cases": [row_record(row) for row in rows],
    }


def _as_json(masks: Masks, **content: object) -> str:
    record = {
        "leuko": __version__,
        "command": _command(),
        "method": masks.about(),
        **content,
    }
    return json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _caption(row: Row) -> str:
    values = row.values
    return (
        f"Dice {values['dice']:.2f}  recall {values['lesion_recall']:.2f}  "
        f"truth {values['reference_ml']:.1f} ml  mask {values['prediction_ml']:.1f} ml"
    )


def _say(text: str) -> None:
    print(f"{time.monotonic() - START:7.1f} s  {text}", file=sys.stderr, flush=True)


def _command() -> str:
    return " ".join([f"python benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]])


def name_and_value(text: str) -> tuple[str, str]:
    """The name and the value of NAME=VALUE on a command line."""
    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def views_of(text: str) -> Views:
    """What is averaged over, from names between commas; `none` alone for nothing."""
    names = [name for name in text.split(",") if name != "none"]
    if unknown := {*names} - {*Views.__struct_fields__}:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)} is no view")
    return Views(**dict.fromkeys(names, True))


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--weights", type=Path, help="a run, or an exported model")
    source.add_argument("--masks", type=Path, help="folder of masks: SET/CASE.nii.gz")
    parser.add_argument("--sets", default="all", help=f"of {', '.join(SETS)}; default all")
    parser.add_argument("--definition", choices=("both", "vascular", "ms"), default="both")
    parser.add_argument(
        "--set", type=name_and_value, action="append", default=[], metavar="NAME=VALUE"
    )
    parser.add_argument(
        "--grid", type=name_and_value, action="append", default=[], metavar="NAME=A,B,.."
    )
    parser.add_argument("--views", type=views_of, help="flips, planes, flips,planes or none")
    parser.add_argument("--t1", action="store_true", help="show the T1 that lies beside a FLAIR")
    parser.add_argument("--name", default="", help="what the method is called in the tables")
    parser.add_argument("--data", type=Path, default=SHARED, help="the data folder")
    parser.add_argument("--out", type=Path, default=OUT, help="default benchmarks/out")
    parser.add_argument("--brief", action="store_true", help="print a line a set")
    parser.add_argument("--no-overlays", dest="overlays", action="store_false")
    parser.add_argument("--no-peers", dest="peers", action="store_false")
    options = parser.parse_args(arguments)
    options.set = dict(options.set)
    options.grid = {name: values.split(",") for name, values in options.grid}
    try:
        options.sets = find_sets(options.sets, definition=options.definition)
    except ValueError as error:
        parser.error(str(error))
    if options.masks is not None and (options.set or options.grid):
        parser.error("--set and --grid need a network, not --masks")
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
