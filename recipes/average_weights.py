"""Average the weights of several runs of one network into one file.

    python recipes/average_weights.py runs/a/final.pt runs/b/final.pt -o runs/mean/final.pt
    python recipes/average_weights.py ... -o OUT.pt --recipe recipes/wmh-flair.yaml --data DATA

With a recipe the statistics of batch normalisation are estimated anew on slices as it draws them;
without, they are averaged as the weights are.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import Tensor

from leuko.errors import LeukoError
from leuko.networks import catalogue
from leuko.training.feed import Feed
from leuko.training.mean_weights import mean_weights, renew_statistics
from leuko.training.recipe import Recipe, load_recipe
from leuko.training.sources import plan_of

BATCH = 8


def main(arguments: list[str]) -> int:
    """Average, renew the statistics where a recipe is given, and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("weights", nargs="+", type=Path, help="final.pt of leuko train")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--recipe", type=Path, help="whose slices the statistics are taken from")
    parser.add_argument("--data", type=Path, help="its data folder")
    parser.add_argument("--slices", type=int, default=800, help="default: %(default)s")
    options = parser.parse_args(arguments)
    try:
        content = mean_weights(options.weights)
        if options.recipe is not None:
            recipe = load_recipe(options.recipe, data=options.data)
            content["state_dict"] = _renewed(content, recipe, slices=options.slices)
    except LeukoError as error:
        sys.stderr.write(f"{error.what}\n{error.hint}\n")
        return error.exit_code
    options.out.parent.mkdir(parents=True, exist_ok=True)
    torch.save(content, options.out)
    sys.stdout.write(f"{options.out.name}: the mean of {len(options.weights)} runs\n")
    return 0


def _renewed(content: dict[str, Any], recipe: Recipe, *, slices: int) -> dict[str, Tensor]:
    """The weights with statistics of `slices` slices of a recipe."""
    network = catalogue.build(content["network"]["name"], **content["network"]["options"])
    network.load_state_dict(content["state_dict"])
    plan = plan_of(msgspec.structs.replace(recipe.data, buffer=slices, warm=slices, workers=0))
    with Feed(plan, seed=recipe.seed, start_step=0, batch=BATCH) as feed:
        renew_statistics(network, _images(feed, -(-slices // BATCH)))
    return network.state_dict()


def _images(feed: Feed, batches: int) -> Iterator[Tensor]:
    for batch in itertools.islice(feed.batches(), batches):
        yield batch["image"]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
