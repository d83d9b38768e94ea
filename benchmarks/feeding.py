"""Whether the network waits for data: the share of a training step that is the network's.

`python benchmarks/feeding.py recipes/hippocampus.yaml recipes/lgg.yaml` reads the test data
(`LEUKO_TEST_DATA`, else ../shared/data), at most 24 items, and prints for each recipe the seconds
of a case (prepared from its files; opened from the cache) and of a step (drawing and augmenting a
batch; the network forwards and backwards with its update), in processor time on one thread, and the
network's share where both run in one process, one after the other. Exits with 1 where that is below
90 %: workers that draw while the network computes can only raise it.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch.nn import functional as F

from leuko.datasets.cache import cached
from leuko.datasets.cases import load_item
from leuko.datasets.layouts import read_layout
from leuko.training.supervised.module import build_network
from leuko.training.supervised.recipe import TaskRecipe, load_task
from leuko.training.supervised.samples import Example, Samples
from leuko.training.supervised.truth import classes_of, numbered

ITEMS = 24
STEPS = 12
GOAL = 0.9


def seconds(job: Callable[[], object]) -> float:
    """Processor seconds of a call, those of all threads."""
    start = time.process_time()
    job()
    return time.process_time() - start


def measured(recipe: TaskRecipe) -> tuple[float, float, float, float]:
    """Seconds to prepare a case, to open a kept one, to draw a batch, and of the network's step."""
    items = read_layout(recipe.data)[:ITEMS]
    plan = recipe.case
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        preparing = [seconds(partial(load_item, item, plan=plan)) for item in items]
        cases = {item.name: cached(item, plan=plan, folder=folder) for item in items}
        opening = [seconds(partial(cached, item, plan=plan, folder=folder)) for item in items]
    classes = classes_of(cases, named=recipe.data.classes)
    examples = [
        Example(case, numbered(case.label, classes))
        for case in cases.values()
        if case.label is not None
    ]
    samples = Samples(
        examples,
        plan=recipe.case,
        augmentation=recipe.augmentation,
        foreground=recipe.sampling.foreground,
        seed=recipe.seed,
    )
    channels = examples[0].case.image.shape[0]
    drawing, working = steps(recipe, samples, channels=channels, classes=len(classes.names))
    return statistics.median(preparing), statistics.median(opening), drawing, working


def steps(
    recipe: TaskRecipe, samples: Samples, *, channels: int, classes: int
) -> tuple[float, float]:
    """Median seconds to draw a batch, and for the network to learn from it."""
    network = build_network(recipe, channels=channels, classes=classes)
    optimiser = torch.optim.AdamW(network.parameters())
    size = recipe.optimisation.batch
    drawing, working = [], []
    for step in range(STEPS):
        start = time.process_time()
        drawn = [samples[step * size + n] for n in range(size)]
        batch = {key: torch.stack([one[key] for one in drawn]) for key in ("image", "target")}
        drawing.append(time.process_time() - start)

        start = time.process_time()
        optimiser.zero_grad()
        loss = F.cross_entropy(network(batch["image"]), batch["target"])
        loss.backward()
        optimiser.step()
        working.append(time.process_time() - start)
    return statistics.median(drawing[2:]), statistics.median(working[2:])  # without warming up


def main() -> int:
    """A row for each recipe."""
    torch.set_num_threads(1)
    root = Path(__file__).resolve().parents[2] / "shared" / "data"
    data = Path(os.environ.get("LEUKO_TEST_DATA", root))
    print(f"{'recipe':<16}{'prepare':>10}{'open':>10}{'draw':>10}{'network':>10}{'share':>8}")
    slow = False
    for name in sys.argv[1:] or ["recipes/hippocampus.yaml", "recipes/lgg.yaml"]:
        recipe = load_task(Path(name), data=data)
        prepare, opened, draw, work = measured(recipe)
        share = work / (draw + work)
        slow |= share < GOAL
        print(
            f"{recipe.name:<16}{prepare:>9.4f}s{opened:>9.4f}s{draw:>9.3f}s{work:>9.3f}s{share:>8.1%}"
        )
    return int(slow)


if __name__ == "__main__":
    sys.exit(main())
