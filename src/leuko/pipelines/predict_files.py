"""Many images through a trained model into a folder: masks, volumes, what was said of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from leuko.datasets.items import Item
from leuko.errors import LeukoError, UsageError
from leuko.formats.labels import label_table
from leuko.formats.read import read, read_mask
from leuko.formats.write import files_of, format_to_write, write
from leuko.image.image import Image
from leuko.inference.trained import Trained
from leuko.pipelines.json_texts import indented
from leuko.pipelines.outputs import require_free_file, write_whole, writing
from leuko.pipelines.predict import Predicted, predict_image, require_channels
from leuko.pipelines.predict_outcomes import PredictedItem, record_of, scores_table, volumes_table
from leuko.pipelines.provenance import name_of, now, sha_of

__all__ = ["predict_folds", "predict_items"]

SINGLE, MAPS = "out", "probabilities"
RECORD, VOLUMES, LABELS, CLASSES = "predict.json", "volumes.tsv", "labels.tsv", "classes.tsv"


Told = Callable[[PredictedItem], None]


def _nobody(_: PredictedItem) -> None: ...


def predict_items(
    trained: Trained,
    items: Sequence[Item],
    *,
    out: Path,
    single: bool = False,
    probabilities: bool = False,
    series: str = "",
    force: bool = False,
    told: Told = _nobody,
) -> tuple[PredictedItem, ...]:
    """Predict each item into `out`; one that fails is told and stops no other.

    With `single` (one item) `out` is the file to write, by its suffix, or a folder that gets
    out.nii.gz. Else `out`/NAME.nii.gz is each item's mask on its own grid (pictures: NAME.png),
    and labels.tsv, volumes.tsv (a classifier: classes.tsv) and predict.json tell of all. A
    classifier's table has the items' categories as truth, where they have some. UsageError
    (exit 2) where a mask would replace an input, WriteError (exit 6) where a file is there already
    and `force` is not set.
    """
    how = _How(out, single, probabilities, series, force)
    return _predict([(trained, items)], ("",), how, told=told)


def predict_folds(
    folds: Sequence[tuple[Trained, Sequence[Item]]],
    *,
    out: Path,
    names: Sequence[str] = (),
    probabilities: bool = False,
    force: bool = False,
    told: Told = _nobody,
) -> tuple[PredictedItem, ...]:
    """The same for a cross-validation: each fold's model on its own items, all into one folder.

    The folds' `names` become a column of the tables. Classes of one item may be predicted in
    several folds, as validation items are; masks not, which would replace each other.
    """
    named = tuple(names) or ("",) * len(folds)
    return _predict(folds, named, _How(out, False, probabilities, "", force), told=told)


def _predict(
    folds: Sequence[tuple[Trained, Sequence[Item]]],
    names: Sequence[str],
    how: _How,
    *,
    told: Told,
) -> tuple[PredictedItem, ...]:
    card = folds[0][0].card
    classifies = card.task == "classification"
    items = [item for _, some in folds for item in some]
    for trained, some in folds:
        for item in some:
            require_channels(trained.card, len(item.images), region=item.region is not None)
    if how.single and len(items) != 1:
        raise UsageError("One name for several images.", hint="Give a folder with --out.")
    keys = Counter(
        (item.name, fold if classifies else "")
        for fold, (_, some) in zip(names, folds, strict=True)
        for item in some
    )
    doubled = [name for (name, _), n in keys.items() if n > 1]
    if doubled:
        raise UsageError(
            f"{doubled[0]} is to be predicted twice.", hint="Give each image a name of its own."
        )
    to_file = how.single and not how.out.is_dir() and _names_a_file(how.out, classifies=classifies)
    begun = now()
    inputs = [path for item in items for path in (*item.images, item.label) if path is not None]
    tables = (RECORD, CLASSES if classifies else VOLUMES)
    for path in [how.out] if to_file else [how.out / name for name in tables]:
        require_free_file(path, inputs=inputs, force=how.force)
    done = []
    for fold, (trained, some) in zip(names, folds, strict=True):
        job = _Job(trained, how, to_file, inputs, fold)
        for item in some:
            outcome = job.tried(item)
            told(outcome)
            done.append(outcome)
    if to_file and classifies:
        write_whole(how.out, scores_table(done))
    elif not to_file:
        _write_tables([trained for trained, _ in folds], done, out=how.out, begun=begun)
    return tuple(done)


@dataclass(frozen=True, slots=True)
class _How:
    """What a call of `predict_items` asks for."""

    out: Path
    single: bool
    probabilities: bool
    series: str
    force: bool


@dataclass(frozen=True, slots=True)
class _Job:
    """One model's part of a call."""

    trained: Trained
    how: _How
    to_file: bool
    inputs: Sequence[Path]
    fold: str

    def tried(self, item: Item) -> PredictedItem:
        """The outcome of an item; of many a failure is an outcome too."""
        try:
            return self.one(item)
        except LeukoError as error:
            if self.how.single:
                raise
            code = type(error).exit_code
            return PredictedItem(
                item.name,
                fold=self.fold,
                error=error.what,
                hint=error.hint,
                exit_code=code,
            )

    def one(self, item: Item) -> PredictedItem:
        """Read, predict and write an item."""
        first = read(item.images[0], series=self.how.series)
        images = [first, *(read(path) for path in item.images[1:])]
        region = None if item.region is None else read_mask(item.region)
        found = predict_image(
            self.trained, images, region=region, probabilities=self.how.probabilities
        )
        file = "" if found.label is None else self.written(item, found, like=first)
        return PredictedItem(
            name=item.name,
            subject=item.subject,
            fold=self.fold,
            truth=item.category,
            file=file,
            input_name=name_of(first.source),
            input_sha256=sha_of(first.source),
            volumes=found.volumes,
            scores=found.scores,
            sized=first.grid.sized,
            seconds=round(found.seconds, 4),
            slices=found.slices,
            findings=tuple(dict.fromkeys(found.findings)),
        )

    def written(self, item: Item, found: Predicted, *, like: Image) -> str:
        """Write an item's mask, and its probabilities; the mask's name below `out`."""
        suffix = _suffix(like)
        several = found.probabilities is not None and found.probabilities.volumes > 1
        map_suffix = ".nii.gz" if suffix == ".nii.gz" or several else ".tif"
        if self.to_file:
            path = self.how.out
            stem = path.name[: -len(_ending(path.name))]
            maps = path.with_name(f"{stem}_probability{map_suffix}")
        else:
            name = SINGLE if self.how.single else item.name
            path = self.how.out / f"{name}{suffix}"
            maps = self.how.out / MAPS / f"{name}{map_suffix}"
        self._put(found.label, path, like=like, names=found.names)
        if found.probabilities is not None:
            self._put(found.probabilities, maps, like=like)
        return path.name if self.to_file else path.relative_to(self.how.out).as_posix()

    def _put(
        self,
        image: Image | None,
        path: Path,
        *,
        like: Image,
        names: Mapping[int, str] | None = None,
    ) -> None:
        if image is None:
            return
        for name in files_of(path.name):
            require_free_file(path.with_name(name), inputs=self.inputs, force=self.how.force)
        with writing(path.name):
            path.parent.mkdir(parents=True, exist_ok=True)
            write(image, path, like=like, labels=bool(names), names=names)


def _ending(name: str) -> str:
    """The suffix of a format in a file's name (`a.nii.gz`: `.nii.gz`)."""
    known = format_to_write(name).written
    return max((end for end in known if name.lower().endswith(end)), key=len)


def _names_a_file(out: Path, *, classifies: bool) -> bool:
    if classifies:
        return out.suffix.lower() == ".tsv"
    return bool(out.suffix) and bool(format_to_write(out.name))


def _suffix(like: Image) -> str:
    """In which format an image's mask is written: of a picture as a picture."""
    if like.grid.sized:
        return ".nii.gz"
    return ".png" if like.grid.shape[2] == 1 else ".tif"


def _write_tables(
    models: Sequence[Trained], done: Sequence[PredictedItem], *, out: Path, begun: str
) -> None:
    card = models[0].card
    with writing(out.name):
        out.mkdir(parents=True, exist_ok=True)
    if card.task == "classification":
        write_whole(out / CLASSES, scores_table(done))
    else:
        write_whole(out / VOLUMES, volumes_table(done))
        write_whole(out / LABELS, label_table(card.labels).bids().encode())
    write_whole(out / RECORD, indented({**record_of(models, done), "time": begun}))
