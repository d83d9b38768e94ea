"""The tables of MODEL_CARD.md: the packaged models, and how they do on every set beside the peers.

    python benchmarks/card.py                                  print the tables
    python benchmarks/card.py --collect                        take in new scores first
    python benchmarks/card.py --collect --write MODEL_CARD.md  and write them into the card

card.yaml names the packaged models and the runs that score them. `--collect` reads what accuracy.py
and leave_out.py left in benchmarks/out/accuracy into card.json: means and 95 % intervals only, so
that the card can be made again without the scans. Scores that are not there keep what is known.
A set that its run was trained on is refused.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import yaml

from card_models import models_table
from card_tables import Known, Measured, Share, Values, text
from marked_text import filled
from scan_sets import SETS
from scored_part import Part
from scoring import BIAS, COLUMNS

HERE = Path(__file__).resolve().parent
WEIGHTS = HERE.parent / "src" / "leuko" / "models" / "weights"
MODELS = (
    "<!-- models: made by python benchmarks/card.py --write MODEL_CARD.md -->",
    "<!-- models: end -->",
)
RESULTS = (
    "<!-- results: made by python benchmarks/card.py --write MODEL_CARD.md -->",
    "<!-- results: end -->",
)


class PackagedModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A packaged model: the run that it is, the groups it was trained on, who scores it."""

    name: str
    run: str
    trained_on: tuple[str, ...]
    parts: tuple[Part, ...]


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A set in words: its name, what the truth is, the scans, what it shares with other sets."""

    title: str
    truth: str
    scans: str
    shares: str


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The models in order, and the sets in order."""

    models: tuple[PackagedModel, ...]
    sets: Mapping[str, About]


def main(arguments: Sequence[str]) -> int:
    """Print, collect and write as the command line asks."""
    options = _parse(arguments)
    plan, known = load(options.plan)
    if options.collect:
        known = collected(plan, known, scores=options.scores)
        _companion(options.plan).write_bytes(
            msgspec.json.format(msgspec.json.encode(known), indent=1) + b"\n"
        )
    models, results = models_table(options.weights), made(plan, known)
    print(f"{models}\n{results}")
    if options.write is not None:
        page = written(options.write.read_text("utf-8"), models=models, results=results)
        options.write.write_text(page, encoding="utf-8")
    return 0


def written(page: str, *, models: str, results: str) -> str:
    """The page with both of its tables; ValueError where a marker is missing."""
    page = filled(page, models, begin=MODELS[0], end=MODELS[1])
    return filled(page, results, begin=RESULTS[0], end=RESULTS[1])


def load(path: Path) -> tuple[Plan, Known]:
    """The plan in a YAML file, and what is known: the JSON file beside it."""
    plan = msgspec.convert(yaml.safe_load(path.read_text("utf-8")), Plan)
    companion = _companion(path)
    known = Known()
    if companion.is_file():
        known = msgspec.json.decode(companion.read_bytes(), type=Known)
    return plan, known


def made(plan: Plan, known: Known) -> str:
    """The tables of a plan, Markdown."""
    models = [model.name for model in plan.models]
    overview = [
        (
            key,
            (about.title, about.scans, about.truth),
            _sharing(plan, key, shares=about.shares),
        )
        for key, about in plan.sets.items()
    ]
    return text(models, overview, known)


def collected(plan: Plan, before: Known, *, scores: Path) -> Known:
    """What is known with the scores that are there, the rest as it was."""
    models: dict[str, dict[str, Measured]] = {}
    peers = dict(before.peers)
    for model in plan.models:
        own = models.setdefault(model.name, {})
        for part in model.parts:
            _refuse_training_sets(model, part)
            path = scores / part.scores / "scores.json"
            if not path.is_file():
                print(f"{model.name}: no scores in {part.scores}", file=sys.stderr)
                kept = before.models.get(model.name, {})
                own |= {key: kept[key] for key in part.sets if key in kept}
                continue
            record = json.loads(path.read_bytes())
            for key in part.sets:
                found = _of_set(part, key, record)
                ours, *others = found["mean"]  # the method under test comes first
                own[key] = _measured(part, key, record, ours)
                if others:
                    peers[key] = {name: _values(found, name) for name in others}
    return Known(models=models, peers=peers)


def _sharing(plan: Plan, key: str, *, shares: str) -> tuple[str, str]:
    """Which models were trained on scans of the set, and what it shares with other sets."""
    seen = [model.name for model in plan.models if SETS[key].group in model.trained_on]
    if not seen:
        return "no", shares
    return ("yes" if len(seen) == len(plan.models) else f"{', '.join(seen)} only"), shares


def _refuse_training_sets(model: PackagedModel, part: Part) -> None:
    """The packaged weights are no test where they were trained, whatever the scores say."""
    for key in part.sets:
        if part.run == model.run and SETS[key].group in model.trained_on:
            raise SystemExit(f"{part.run} was trained on {key}: its score there is no test.")


def _of_set(part: Part, key: str, record: Mapping[str, Any]) -> Mapping[str, Any]:
    if key not in record["sets"]:
        raise SystemExit(f"The scores {part.scores} have no set {key}.")
    found: Mapping[str, Any] = record["sets"][key]
    if found.get("trained_on"):
        raise SystemExit(f"{part.scores} was trained on {key}: its score there is no test.")
    return found


def _measured(part: Part, key: str, record: Mapping[str, Any], ours: str) -> Measured:
    found = record["sets"][key]
    cases = [one for one in found["cases"] if one["method"] == ours]
    false = {}
    if SETS[key].truth is None:
        false = {one["case"]: round(one["values"]["prediction_ml"], 2) for one in cases}
    return Measured(
        run=part.run,
        sha256=record["method"].get("sha256", "")[:12],
        scans=len(cases),
        values=_values(found, ours) if not false else Values(),
        false_ml=false,
    )


def _values(found: Mapping[str, Any], method: str) -> Values:
    mean = found["mean"][method]
    metrics = {name: _interval(mean[name], "mean", "interval_") for name in COLUMNS}
    metrics[BIAS] = _interval(mean[BIAS], "value", "")
    sizes = found.get("sizes", {}).get(method, ())
    return Values(
        metrics={name: one for name, one in metrics.items() if one is not None},
        found=tuple(_share(one["recall"]) for one in sizes),
        true=tuple(_share(one["precision"]) for one in sizes),
    )


def _interval(
    record: Mapping[str, float | None], middle: str, prefix: str
) -> tuple[float, float | None, float | None] | None:
    value = record[middle]
    if value is None:
        return None
    return (
        round(value, 4),
        _rounded(record[f"{prefix}low"]),
        _rounded(record[f"{prefix}high"]),
    )


def _share(record: Mapping[str, float | None]) -> Share:
    return Share(
        of=int(record["of"] or 0),
        value=_rounded(record["value"]),
        low=_rounded(record["low"]),
        high=_rounded(record["high"]),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _companion(plan: Path) -> Path:
    return plan.with_suffix(".json")


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--collect", action="store_true", help="take in the scores that are there")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="Markdown page with the markers")
    parser.add_argument("--plan", type=Path, default=HERE / "card.yaml")
    parser.add_argument("--scores", type=Path, default=HERE / "out" / "accuracy")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="the packaged models")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
