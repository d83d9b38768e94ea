"""Which operating point: a small grid on sets that the weights never saw, and its optimism.

    python benchmarks/operating_point.py --weights runs/A/final.pt --weights runs/B/final.pt
    python benchmarks/operating_point.py --weights ... --grid min_lesion_mm3=0,3,5,10

One setting for all scanners and both definitions. Every checkpoint is scored on the sets of which
it saw no scan: runs of leave_out.py on the set they left out, a run on synthetic heads on all, the
packaged weights (without --weights) on nichart. A set's value is the mean over checkpoints, a
group's (tabriz, ljubljana, nichart) the mean over its definitions, and a setting's worth the mean
over groups of Dice and strict F1, halved. What the choice flatters itself by: each group is also
scored with the setting that is best on the other groups.

Writes benchmarks/out/operating_point.json and prints Markdown.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from accuracy import OUT, SHARED, views_of
from network_masks import NetworkMasks
from scan_sets import ScanSet, find_cases, find_sets
from score_tables import markdown
from scoring import BIAS, Row, means, score, volume_bias

SETS = "tabriz-union,tabriz-lesions,ljubljana,nichart,lesion-free"
GRID = {"refine_evidence": ["0", "4", "8"], "min_lesion_peak": ["0", "0.8", "0.9"]}

Setting = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Means of one setting over the cases of a set; `false_ml` alone where there is no truth."""

    group: str
    key: str
    weights: str
    dice: float
    f1: float
    bias: float
    false_ml: float | None = None


def main(arguments: Sequence[str]) -> int:
    """Score the grid and print what it says."""
    options = _parse(arguments)
    grid = options.grid or GRID
    settings: list[Setting] = [
        tuple(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())
    ]
    tried: dict[Setting, list[Outcome]] = {setting: [] for setting in settings}
    for weights in options.weights or [None]:
        masks = NetworkMasks.of(
            weights, name="", store=OUT / "predictions", changes={}, views=options.views
        )
        for entry in find_sets(options.sets):
            cases = find_cases(options.data, entry)
            if not cases or masks.seen(entry, cases):
                continue
            print(f"{masks.name} on {entry.key}", file=sys.stderr, flush=True)
            for setting, outcome in _outcomes(masks, entry, options.data, settings).items():
                tried[setting].append(outcome)
    if not any(tried.values()):
        print("There is no set that these weights have not seen.", file=sys.stderr)
        return 2
    text = "\n".join([_settings_table(tried), _optimism_table(tried)])
    print(text)
    record = [
        {"setting": dict(setting), "outcomes": [_record(one) for one in outcomes]}
        for setting, outcomes in tried.items()
    ]
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "operating_point.json").write_text(json.dumps(record, indent=1) + "\n")
    (OUT / "operating_point.md").write_text(text)
    return 0


def worth(outcomes: Sequence[Outcome], groups: Sequence[str]) -> float:
    """Half of Dice and strict F1 together, each group counting the same."""
    return fmean(fmean((_of(outcomes, g, "dice"), _of(outcomes, g, "f1"))) for g in groups)


def _outcomes(
    masks: NetworkMasks, entry: ScanSet, data: Path, settings: Sequence[Setting]
) -> dict[Setting, Outcome]:
    """Every setting on one set; a scan at a time, so that its prediction is at hand."""
    rows: dict[Setting, list[Row]] = {setting: [] for setting in settings}
    for case in find_cases(data, entry):
        for setting in settings:
            mask = masks.mask(entry, case, dict(setting))
            row, _ = score(entry, case, mask, method=masks.name, everything=False)
            rows[setting].append(row)
    found = {}
    for setting, own in rows.items():
        mean = means(own, ("dice", "lesion_f1_strict", "prediction_ml"))
        found[setting] = Outcome(
            entry.group,
            entry.key,
            masks.name,
            mean["dice"],
            mean["lesion_f1_strict"],
            volume_bias(own).value,
            mean["prediction_ml"] if entry.truth is None else None,
        )
    return found


def _settings_table(tried: Mapping[Setting, Sequence[Outcome]]) -> str:
    """A line a setting: Dice / strict F1 / volume bias of each set; the best worth is bold."""
    some = next(iter(tried.values()))
    keys = list(dict.fromkeys(one.key for one in some))
    groups = _groups(some)
    best = max(tried, key=lambda setting: worth(tried[setting], groups))
    lines = []
    for setting, outcomes in tried.items():
        name = _text(setting)
        lines.append(
            (
                f"**{name}**" if setting == best else name,
                *(_cell([one for one in outcomes if one.key == key]) for key in keys),
                f"{worth(outcomes, groups):.4f}",
            )
        )
    return markdown(("setting", *keys, "worth"), lines)


def _optimism_table(tried: Mapping[Setting, Sequence[Outcome]]) -> str:
    """A line a group: with the setting best on the other groups, and with that best on all."""
    groups = _groups(next(iter(tried.values())))
    lines = []
    on_all = max(tried, key=lambda setting: worth(tried[setting], groups))
    for group in groups:
        others = [other for other in groups if other != group]
        if not others:
            continue
        elsewhere = max(tried, key=lambda setting: worth(tried[setting], others))
        honest, flattered = (worth(tried[one], [group]) for one in (elsewhere, on_all))
        lines.append(
            (
                group,
                _text(elsewhere),
                f"{honest:.4f}",
                f"{flattered:.4f}",
                f"{flattered - honest:+.4f}",
            )
        )
    return markdown(
        ("left out", "chosen on the others", "worth there", "chosen on all", "optimism"), lines
    )


def _groups(outcomes: Sequence[Outcome]) -> list[str]:
    return list(dict.fromkeys(one.group for one in outcomes if one.false_ml is None))


def _of(outcomes: Sequence[Outcome], group: str, name: str) -> float:
    own = [one for one in outcomes if one.group == group]
    return fmean(
        fmean(getattr(one, name) for one in own if one.key == key) for key in {o.key for o in own}
    )


def _cell(outcomes: Sequence[Outcome]) -> str:
    false = [one.false_ml for one in outcomes if one.false_ml is not None]
    if false:
        return f"{fmean(false):.2f} ml"
    dice, f1, bias = (fmean(getattr(o, name) for o in outcomes) for name in ("dice", "f1", "bias"))
    return f"{dice:.3f} / {f1:.3f} / {bias:+.0f} %"


def _record(outcome: Outcome) -> dict[str, object]:
    record: dict[str, object] = {"set": outcome.key, "weights": outcome.weights}
    if outcome.false_ml is not None:
        return {**record, "false_ml": outcome.false_ml}
    return {**record, "dice": outcome.dice, "lesion_f1_strict": outcome.f1, BIAS: outcome.bias}


def _text(setting: Setting) -> str:
    return " ".join(f"{name}={value}" for name, value in setting)


def _pair(text: str) -> tuple[str, list[str]]:
    name, equals, values = text.partition("=")
    if not equals or not name or not values:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=A,B,...")
    return name, values.split(",")


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", type=Path, action="append", default=[])
    parser.add_argument("--grid", type=_pair, action="append", default=[], metavar="NAME=A,B,..")
    parser.add_argument("--views", type=views_of, help="flips, planes, flips,planes or none")
    parser.add_argument("--sets", default=SETS)
    parser.add_argument("--data", type=Path, default=SHARED, help="the data folder")
    options = parser.parse_args(arguments)
    options.grid = dict(options.grid)
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
