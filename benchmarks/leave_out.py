"""Train a recipe without one set of real scans, then score that set: how it does on new scanners.

    python benchmarks/leave_out.py recipes/wmh-flair.yaml --data DATA --leave tabriz
    python benchmarks/leave_out.py recipes/wmh-flair.yaml --data DATA --leave ljubljana --minutes 16

The recipe's cases of the set are dropped; with none left, the run sees synthetic heads alone. The
run is runs/NAME-without-SET: the same command continues it after a kill, and once it is complete
only scores it, as accuracy.py does. Refused where the recipe has no scan of the set, or starts or
learns from weights that saw it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from accuracy import score_all
from leuko.errors import LeukoError, UsageError
from leuko.training.recipe import Recipe, load_recipe
from leuko.training.run import train
from network_masks import NetworkMasks
from scan_sets import SETS, find_cases, find_sets
from training_runs import case_key, trained_on, weights_in

HERE = Path(__file__).resolve().parent
GROUPS = tuple(dict.fromkeys(entry.group for entry in SETS.values() if entry.truth is not None))


def main(arguments: Sequence[str]) -> int:
    """Train and score what the command line asks for."""
    options = _parse(arguments)
    try:
        recipe = without(
            load_recipe(options.recipe, data=options.data), options.leave, minutes=options.minutes
        )
        done = train(recipe, out=options.runs, fresh=options.fresh, tell=_say)
    except LeukoError as error:
        print(f"{error.what}\n{error.hint}", file=sys.stderr)
        return error.exit_code
    _say(f"Done at step {done.step}: {recipe.name}")
    masks = NetworkMasks.of(
        done.weights, name=recipe.name, store=options.out / "predictions", changes={}
    )
    found = ((entry, find_cases(options.data, entry)) for entry in find_sets(options.leave))
    score_all(
        masks,
        [(entry, cases) for entry, cases in found if cases],
        options.out / "accuracy" / masks.name,
        with_overlays=True,
        with_peers=True,
    )
    return 0


def without(recipe: Recipe, group: str, *, minutes: float | None = None) -> Recipe:
    """The recipe without the cases of a group of sets, under its own name.

    `minutes` takes the place of the recipe's. UsageError where the recipe has no such case, or
    where the weights that it starts or learns from are missing or saw one.
    """
    kept = tuple(case for case in recipe.data.cases if _group(case.flair) != group)
    if len(kept) == len(recipe.data.cases):
        raise UsageError(
            f"The recipe {recipe.name} has no scan of {group} to leave out.",
            hint=f"Train it with leuko train and score it: accuracy.py --sets {group}.",
        )
    for link in (recipe.init_from, recipe.keep_from, *recipe.distil_from):
        if link is not None:
            _refuse_seen(Path(link), group)
    data = msgspec.structs.replace(
        recipe.data, cases=kept, real_share=recipe.data.real_share if kept else 0.0
    )
    optimisation = recipe.optimisation
    if minutes is not None:
        optimisation = msgspec.structs.replace(optimisation, minutes=minutes)
    return msgspec.structs.replace(
        recipe, name=f"{recipe.name}-without-{group}", data=data, optimisation=optimisation
    )


def _refuse_seen(start: Path, group: str) -> None:
    if not weights_in(start).is_file():
        raise UsageError(
            f"The weights {start.parent.name}/{start.name} to start or learn from are not there.",
            hint="Train that stage first; paths of runs count from the current folder.",
        )
    seen = sorted(key for key in trained_on(start) if key.startswith(f"{group}/"))
    if seen:
        raise UsageError(
            f"The weights {start.parent.name}/{start.name} to start or learn from have seen "
            f"{group} ({', '.join(seen)}): scores on it would be no test.",
            hint=f"Leave {group} out of that stage too, and name its weights in the recipe.",
        )


def _group(flair: str) -> str:
    return case_key(Path(flair)).partition("/")[0]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    shared = Path(os.environ.get("LEUKO_TEST_DATA", HERE.parents[1] / "shared" / "data"))
    parser.add_argument("recipe", type=Path, help="YAML file")
    parser.add_argument("--leave", choices=GROUPS, required=True, help="the set to leave out")
    parser.add_argument("--minutes", type=float, help="of training, instead of the recipe's")
    parser.add_argument("--fresh", action="store_true", help="start over instead of continuing")
    parser.add_argument("--data", type=Path, default=shared, help="the data folder")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of runs")
    parser.add_argument("--out", type=Path, default=HERE / "out", help="default benchmarks/out")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
