"""The ladder of docs/model.md: every change to the model with what it gave, a row each.

    python benchmarks/ladder.py                                    print the table
    python benchmarks/ladder.py --collect                          take in new scores first
    python benchmarks/ladder.py --collect --write docs/model.md    and write the table into the page

ladder.yaml names the rungs and the runs that measure them. `--collect` reads the scores that
accuracy.py and leave_out.py left in benchmarks/out/accuracy, and the runs, into ladder.json: means
only, so that the page can be made again without them. A rung whose scores are not there keeps
those it has. A set that its run was trained on is refused.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import yaml

from marked_text import filled
from score_tables import markdown
from scored_part import Part

HERE = Path(__file__).resolve().parent
BEGIN = "<!-- ladder: made by python benchmarks/ladder.py --write docs/model.md -->"
END = "<!-- ladder: end -->"
COLUMNS = {
    "tabriz-union": "Tabriz, vascular",
    "tabriz-lesions": "Tabriz, ms",
    "ljubljana": "Ljubljana, ms",
    "nichart": "Nichart, vascular",
    "tabriz-ventricles": "ventricles",
    "lesion-free": "healthy heads, ml",
}
VALUES = ("dice", "lesion_f1_strict", "lesion_recall", "avd")
CASES = {"ljubljana": "19"}  # a case whose Dice is shown by itself
DICE_ALONE = ("tabriz-ventricles",)


class Rung(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One change, and the runs that measure it."""

    name: str
    changed: str
    parts: tuple[Part, ...]
    note: str = ""


class Ladder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rungs in order; goals are shown as a last row."""

    rungs: tuple[Rung, ...]
    goals: Mapping[str, str] = {}


class Training(msgspec.Struct, frozen=True):
    """The stages of a run on the way to its weights, summed; seeds in order."""

    run: str
    seeds: tuple[int, ...]
    slices: int
    minutes: float | None


class Known(msgspec.Struct, frozen=True):
    """What is known of a rung: means of every set, and how its runs were trained."""

    sets: dict[str, dict[str, float | None]]
    training: tuple[Training, ...]


def main(arguments: Sequence[str]) -> int:
    """Print, collect and write as the command line asks."""
    options = _parse(arguments)
    ladder = msgspec.convert(yaml.safe_load(options.rungs.read_text("utf-8")), Ladder)
    companion = options.rungs.with_suffix(".json")
    known: dict[str, Known] = {}
    if companion.is_file():
        known = msgspec.json.decode(companion.read_bytes(), type=dict[str, Known])
    if options.collect:
        known = {
            rung.name: _collected(rung, known.get(rung.name), options) for rung in ladder.rungs
        }
        companion.write_bytes(
            msgspec.json.format(msgspec.json.encode(known, order="sorted"), indent=1) + b"\n"
        )
    table = text(ladder, known)
    print(table)
    if options.write is not None:
        page = options.write.read_text("utf-8")
        options.write.write_text(replaced(page, table), encoding="utf-8")
    return 0


def text(ladder: Ladder, known: Mapping[str, Known]) -> str:
    """The table of the ladder and its notes, Markdown."""
    rows = [_row(rung, known[rung.name]) for rung in ladder.rungs if rung.name in known]
    goals = [ladder.goals.get(key, "") for key in COLUMNS]
    rows.append(("**goal**", *goals, "", "", ""))
    header = ("rung", *COLUMNS.values(), "slices", "minutes", "seeds")
    notes = [f"- **{rung.name}**: {rung.note}." for rung in ladder.rungs if rung.note]
    waiting = [rung.name for rung in ladder.rungs if rung.name not in known]
    if waiting:
        notes.append(f"- Not measured yet: {', '.join(waiting)}.")
    return "\n".join([markdown(header, rows), *notes]) + "\n"


def replaced(page: str, table: str) -> str:
    """A page with the table between its markers; ValueError where it has none."""
    return filled(page, table, begin=BEGIN, end=END)


def _row(rung: Rung, known: Known) -> tuple[str, ...]:
    trained = known.training
    minutes = {f"{one.minutes:.0f}" for one in trained if one.minutes is not None}
    return (
        f"**{rung.name}**: {rung.changed}",
        *(_cell(key, known.sets.get(key, {})) for key in COLUMNS),
        _listed(f"{one.slices / 1000:.0f}k" for one in trained if one.slices),
        _listed(sorted(minutes, key=float)),
        _listed(", ".join(map(str, one.seeds)) for one in trained if one.seeds),
    )


def _cell(key: str, values: Mapping[str, float | None]) -> str:
    if not values:
        return ""
    if key == "lesion-free":
        return ", ".join(f"{value:.1f}" for value in values.values() if value is not None)
    if key in DICE_ALONE:
        return _share(values["dice"], 3)
    shown = [_share(values["dice"], 3), *(_share(values[name], 2) for name in VALUES[1:3])]
    avd = values["avd"]
    shown.append("n/a" if avd is None else f"{avd:.0f}")
    case = CASES.get(key)
    alone = f" ({case}: {_share(values.get(f'dice {case}'), 3)})" if case else ""
    return " / ".join(shown) + alone


def _share(value: float | None, decimals: int) -> str:
    return "n/a" if value is None else f"{value:.{decimals}f}".removeprefix("0")


def _listed(values: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(values))


def _collected(rung: Rung, before: Known | None, options: argparse.Namespace) -> Known:
    """The rung with the scores and runs that are there, the rest as it was."""
    sets = {} if before is None else dict(before.sets)
    trained = {} if before is None else {one.run: one for one in before.training}
    for part in rung.parts:
        path = options.scores / part.scores / "scores.json"
        if path.is_file():
            record = json.loads(path.read_bytes())
            sets |= {key: _means(part, key, record) for key in part.sets}
        else:
            print(f"{rung.name}: no scores in {part.scores}", file=sys.stderr)
        if (found := _training(options.runs.parent / part.run, part.run)) is not None:
            trained[part.run] = found
    named = dict.fromkeys(part.run for part in rung.parts)
    return Known(
        {key: sets[key] for part in rung.parts for key in part.sets if key in sets},
        tuple(trained[run] for run in named if run in trained),
    )


def _means(part: Part, key: str, record: Mapping[str, Any]) -> dict[str, float | None]:
    """The means of a set; of heads free of lesions the false ml of each."""
    if key not in record["sets"]:
        raise SystemExit(f"The scores {part.scores} have no set {key}.")
    found = record["sets"][key]
    if found["trained_on"]:
        raise SystemExit(f"{part.scores} was trained on {key}: its score there is no test.")
    ours = next(iter(found["mean"]))  # the method under test comes first, then the peers
    cases = {one["case"]: one["values"] for one in found["cases"] if one["method"] == ours}
    if key == "lesion-free":
        return {name: _rounded(values["prediction_ml"]) for name, values in cases.items()}
    means = {name: _rounded(found["mean"][ours][name]["mean"]) for name in VALUES}
    if key in CASES:
        means[f"dice {CASES[key]}"] = _rounded(cases[CASES[key]]["dice"])
    return means


def _training(folder: Path, run: str) -> Training | None:
    from training_runs import stages, weights_in

    if not weights_in(folder).is_file():
        return None
    passed = stages(folder)
    minutes = [one.minutes for one in passed if one.minutes is not None]
    return Training(
        run=run,
        seeds=tuple(one.seed for one in passed),
        slices=sum(one.slices for one in passed),
        minutes=_rounded(sum(minutes)) if len(minutes) == len(passed) else None,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--collect", action="store_true", help="take in the scores that are there")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="Markdown page with the markers")
    parser.add_argument("--rungs", type=Path, default=HERE / "ladder.yaml")
    parser.add_argument("--scores", type=Path, default=HERE / "out" / "accuracy")
    parser.add_argument("--runs", type=Path, default=HERE.parent / "runs", help="folder of runs")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
