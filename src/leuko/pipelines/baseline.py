"""Baselines on files: fitted to a data set, used on images, or cross-validated by subject."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from leuko.baselines.model import Baseline, fit_trained, fit_untrained, ready, untuned
from leuko.baselines.registry import Method, method_named
from leuko.baselines.sample import Sample, draw_sample
from leuko.baselines.store import pack, unpack
from leuko.baselines.tuning import dice_of_candidates
from leuko.datasets.items import Item
from leuko.datasets.splits import k_fold
from leuko.errors import UsageError
from leuko.formats.write import write
from leuko.pipelines.baseline_scene import Region, SceneReader, Seen, chosen_region
from leuko.pipelines.our_files import PROGRAM
from leuko.pipelines.outputs import require_free_file, write_whole, writing
from leuko.pipelines.provenance import program_version

__all__ = [
    "RECORD",
    "Fold",
    "fit_baseline",
    "load_baseline",
    "predict_baseline",
    "run_baselines",
    "save_baseline",
]

RECORD = "baselines.json"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Fold:
    """What one method became in one fold, and on whom it was then used."""

    method: str
    test: tuple[str, ...]
    train: tuple[str, ...]
    parameters: Mapping[str, float]
    training_dice: float


@dataclass(frozen=True, slots=True, eq=False)
class _Evidence:
    """What methods learn from one image: its voxels, and the Dice of each candidate."""

    item: Item
    sample: Sample | None
    tables: Mapping[str, npt.NDArray[np.float64]]


def fit_baseline(
    items: Sequence[Item],
    *,
    method: str,
    region: Region = "auto",
    labels: Sequence[int] = (),
    seed: int = 0,
    weights: Path | None = None,
    say: Say = lambda line: None,  # noqa: ARG005
) -> Baseline:
    """Fit a method to images with masks: thresholds, numbers of groups, or a classifier.

    Args:
        items: with labels.
        method: a name of `leuko.baselines.registry.METHODS`.
        region: where to search; `auto` is the brain where the first image shows one, else the
            foreground; items with regions of their own are searched there.
        labels: values of the masks that count; by default all but 0.
        seed: of the draw of voxels and of the classifier.
        weights: another network than the packaged one to find the brain.
        say: is told what is being done.

    Raises UsageError (exit 2) for unknown methods and items without masks, UnusableInput (exit 4)
    where there is nothing to learn from, GridMismatch (exit 5), MissingExtra (exit 9), and what
    reading raises.
    """
    known = method_named(method)
    reader = _reader(items, region=region, labels=labels, weights=weights)
    evidence = _gather(items, [known], reader=reader, seed=seed, say=say)
    say(f"fit {method}")
    return _fit(known, evidence, region=reader.region, seed=seed)


def predict_baseline(
    items: Sequence[Item],
    baseline: Baseline | str,
    *,
    out: Path,
    region: Region = "auto",
    weights: Path | None = None,
    force: bool = False,
    say: Say = lambda line: None,  # noqa: ARG005
) -> tuple[Path, ...]:
    """Write the mask of every item to `out`/NAME.nii.gz (.png for a picture), on its own grid.

    `baseline` is a fitted one, or the name of a method that works untrained, which then searches
    `region`. Raises UsageError (exit 2) for a method that must be trained, WriteError (exit 6)
    where a mask is there already, unless `force`; else as `fit_baseline`.
    """
    if isinstance(baseline, str):
        known = method_named(baseline)
        if known.trained:
            raise UsageError(
                f"{baseline} has to learn before it can find anything.",
                hint=f"leuko baseline fit {baseline} --images I --masks M -o {baseline}.npz",
            )
        searched = chosen_region(items, region=region, weights=weights)
        baseline = untuned(known, channels=len(items[0].images), region=searched)
    reader = SceneReader(baseline.region, weights=weights)
    run = ready(baseline)
    done = []
    for item in items:
        say(item.name)
        seen = reader.read(item)
        done.append(_write(run(seen.scene), seen, item, folder=out, force=force))
    return tuple(done)


def run_baselines(
    items: Sequence[Item],
    *,
    methods: Sequence[str],
    out: Path,
    folds: int | None = None,
    region: Region = "auto",
    labels: Sequence[int] = (),
    seed: int = 0,
    weights: Path | None = None,
    force: bool = False,
    say: Say = lambda line: None,  # noqa: ARG005
) -> tuple[Fold, ...]:
    """Cross-validate methods: every mask comes from a fit that never saw its subject.

    Writes `out`/METHOD/NAME.nii.gz (.png for a picture) and `out`/baselines.json: who was in which
    fold, and which parameters were chosen. `folds` is a number; without it one subject is left out
    at a time. Every image is read twice, and none is kept in memory. Else as `fit_baseline`;
    WriteError (exit 6) where results are there already, unless `force`.
    """
    known = [method_named(name) for name in dict.fromkeys(methods)]
    count = folds or len({item.subject for item in items})
    splits = [k_fold(items, folds=count, fold=n, valid=0, seed=seed) for n in range(count)]
    require_free_file(out / RECORD, force=force)
    reader = _reader(items, region=region, labels=labels, weights=weights)
    evidence = _gather(items, known, reader=reader, seed=seed, say=say)
    done: list[Fold] = []
    for split in splits:
        training = [one for one in evidence if one.item.name in split.train]
        runs = []
        for method in known:
            say(f"fit {method.name} without {', '.join(split.test[:3])}")
            fitted = _fit(method, training, region=reader.region, seed=seed)
            done.append(
                Fold(
                    method.name,
                    split.test,
                    split.train,
                    dict(fitted.parameters),
                    fitted.training_dice,
                )
            )
            runs.append((method.name, ready(fitted)))
        for item in items:
            if item.name in split.test:
                seen = reader.read(item)
                for name, run in runs:
                    _write(run(seen.scene), seen, item, folder=out / name, force=force)
    write_whole(out / RECORD, _record(done, seed=seed, region=reader.region))
    return tuple(done)


def save_baseline(baseline: Baseline, path: Path, *, force: bool = False) -> None:
    """Write a fitted baseline as .npz. Raises UsageError (exit 2), WriteError (exit 6)."""
    if path.suffix != ".npz":
        raise UsageError(f"{path.name} does not end in .npz.", hint="Choose -o NAME.npz.")
    require_free_file(path, force=force)
    with writing(path.name):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, pack(baseline))


def load_baseline(path: Path) -> Baseline:
    """The baseline in a file. Raises ReadError (exit 3)."""
    from leuko.errors import ReadError

    try:
        content = path.read_bytes()
    except OSError as error:
        raise ReadError(f"{path.name} cannot be read.", hint="Check the path.") from error
    return unpack(content, name=path.name)


def _reader(
    items: Sequence[Item], *, region: Region, labels: Sequence[int], weights: Path | None
) -> SceneReader:
    without = [item.name for item in items if item.label is None]
    if without or not items:
        raise UsageError(
            f"{without[0]} has no mask." if without else "There is nothing to learn from.",
            hint="Fitting needs images and their masks: --images and --masks, or --list.",
        )
    searched = chosen_region(items, region=region, weights=weights)
    return SceneReader(searched, labels=tuple(labels), weights=weights)


def _gather(
    items: Sequence[Item], methods: Sequence[Method], *, reader: SceneReader, seed: int, say: Say
) -> list[_Evidence]:
    """Read every image once and keep of it what the methods learn from."""
    found = []
    for item in items:
        say(f"read {item.name}")
        seen = reader.read(item)
        sample = None
        if any(method.trained for method in methods):
            sample = draw_sample(
                seen.scene, seen.truth, name=item.name, subject=item.subject, seed=seed
            )
        tables = {
            method.name: dice_of_candidates(method, seen.scene, seen.truth)
            for method in methods
            if not method.trained
        }
        found.append(_Evidence(item, sample, tables))
    return found


def _fit(method: Method, evidence: Sequence[_Evidence], *, region: str, seed: int) -> Baseline:
    channels = len(evidence[0].item.images)
    if not method.trained:
        tables = [one.tables[method.name] for one in evidence]
        return fit_untrained(method, tables, channels=channels, region=region)
    samples = [one.sample for one in evidence if one.sample is not None]
    return fit_trained(method, samples, channels=channels, region=region, seed=seed)


def _write(
    mask: npt.NDArray[np.bool_], seen: Seen, item: Item, *, folder: Path, force: bool
) -> Path:
    picture = not seen.image.grid.sized
    path = folder / f"{item.name}{'.png' if picture else '.nii.gz'}"
    require_free_file(path, inputs=item.images, force=force)
    with writing(folder.name):
        folder.mkdir(parents=True, exist_ok=True)
    filed = seen.filed(mask).astype(np.uint8)
    write(seen.image.with_data(filed * 255 if picture else filed), path, labels=not picture)
    return path


def _record(done: Sequence[Fold], *, seed: int, region: str) -> bytes:
    folds = [asdict(fold) for fold in done]
    for fold in folds:
        if math.isnan(fold["training_dice"]):
            fold["training_dice"] = None
    content = {
        "provenance": {"program": PROGRAM, "version": program_version()},
        "seed": seed,
        "region": region,
        "folds": folds,
    }
    return (json.dumps(content, indent=1, allow_nan=False) + "\n").encode()
