"""Which images a call of `leuko predict` means: one, several, a folder, or a run's own examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from leuko.datasets.files import DERIVED, image_paths, stem
from leuko.datasets.items import Item
from leuko.errors import ReadError, UsageError
from leuko.formats.folder import survey
from leuko.inference.trained import TrainedCard

__all__ = ["channels_by_name", "find_items", "items_of_run"]


def find_items(
    inputs: Sequence[Path],
    *,
    card: TrainedCard,
    channels: Mapping[str, Path] | None = None,
    region: Path | None = None,
    without: Path | None = None,
) -> tuple[Item, ...]:
    """The examples in `inputs`, files or folders; each gives the model's first channel.

    In a folder all images count, its subfolders' too, but for those named as masks (`_mask`,
    `_seg` ...) and those below `without`; one that holds DICOM is an image itself. A name is the
    path below the folder without suffix, else the file's name, with its folder's where that is
    not enough. The other `channels` and the `region` are files, or folders that hold a file of
    each example's name. ReadError (exit 3) where something is not there, UsageError (exit 2)
    where a channel is missing or unknown.
    """
    others = channels_by_name(card, channels or {})
    found = [pair for path in inputs for pair in _images(path, without=without)]
    names = _told_apart(found)
    items = []
    for name, (_, path) in zip(names, found, strict=True):
        rest = [_partner(place, name, what=f"channel {key}") for key, place in others.items()]
        mask = None if region is None else _partner(region, name, what="region")
        items.append(Item(name, name, (path, *rest), region=mask))
    return tuple(items)


def channels_by_name(card: TrainedCard, given: Mapping[str, Path]) -> dict[str, Path]:
    """The channels after the first, in the model's order; a part of a name that fits one will do.

    UsageError for a name that fits none or several, and for one that is missing.
    """
    found: dict[str, Path] = {}
    for name, path in given.items():
        exact = [key for key in card.channels if key.casefold() == name.casefold()]
        fitting = exact or [key for key in card.channels if name.casefold() in key.casefold()]
        if len(fitting) != 1 or fitting[0] == card.channels[0] or fitting[0] in found:
            first, *more = card.channels
            raise UsageError(
                f"The model {card.name} has no further channel {name}.",
                hint=f"INPUT is {first}; "
                + (f"name the others: {', '.join(more)}." if more else "it needs no other."),
            )
        found[fitting[0]] = path
    missing = [key for key in card.channels[1:] if key not in found]
    if missing:
        raise UsageError(
            f"The model {card.name} needs {len(card.channels)} images of each example "
            f"({', '.join(card.channels)}); {', '.join(missing)} not given.",
            hint="Name a file, or a folder of files of the same names: "
            + " ".join(f"--channel {key}=PATH" for key in missing),
        )
    return {key: found[key] for key in card.channels[1:]}


def items_of_run(run: Path, *, part: str = "test") -> tuple[Item, ...]:
    """The examples of a training run that were held out (or its `train` or `valid` part).

    Each is named as its mask, so that `leuko evaluate MASKS OUT` pairs them; where several masks
    have one name, as in the data set. ReadError where the run does not list them, UsageError where
    there are none.
    """
    try:
        split = msgspec.json.decode((run / "split.json").read_bytes(), type=dict[str, list[str]])
        listed = msgspec.json.decode(
            (run / "items.json").read_bytes(),
            type=list[Item],
            dec_hook=lambda kind, text: kind(text),  # paths
        )
    except OSError as error:
        raise ReadError(
            f"The run {run.name} does not say what it was trained on ({error.strerror}).",
            hint="Give the images: leuko predict MODEL IMAGE... -o OUT.",
        ) from error
    except msgspec.DecodeError as error:
        raise ReadError(
            f"The run {run.name} lists its examples in a way not understood: {error}.",
            hint="Give the images: leuko predict MODEL IMAGE... -o OUT.",
        ) from error
    wanted = set(split.get(part, ()))
    masks = [item.name if item.label is None else stem(item.label) for item in listed]
    if len(set(masks)) < len(masks):  # of all, so that folds agree
        masks = [item.name for item in listed]
    found = [(name, item) for name, item in zip(masks, listed, strict=True) if item.name in wanted]
    if not found:
        raise UsageError(
            f"The run {run.name} has no {part} examples.",
            hint="Give the images: leuko predict MODEL IMAGE... -o OUT.",
        )
    return tuple(
        Item(name, item.subject, item.images, item.label, item.region, item.site, item.category)
        for name, item in found
    )


def _images(path: Path, *, without: Path | None) -> list[tuple[str, Path]]:
    """Name and place of each image that a file or folder stands for."""
    if not path.exists():
        raise ReadError(f"There is no {path.name}.", hint="Check the path and its spelling.")
    if not path.is_dir():
        return [(stem(path), path)]
    aside = None if without is None else without.resolve()
    found = [
        (image.relative_to(path).with_name(stem(image)).as_posix(), image)
        for image in image_paths(path, pictures=True)
        if not DERIVED.search(stem(image)) and aside not in image.resolve().parents
    ]
    if found:
        return found
    if survey(path, until_dicom=True).dicom:
        return [(path.resolve().name, path)]
    raise ReadError(
        f"The folder {path.name} holds no image to predict.",
        hint="Give a folder of images; files named as masks (_mask, _seg ...) are left out.",
    )


def _told_apart(found: Sequence[tuple[str, Path]]) -> list[str]:
    """Names that differ: with the folder's name, then with a number, where they don't."""
    names = [name for name, _ in found]
    often = Counter(name.casefold() for name in names)
    longer = [
        f"{path.resolve().parent.name}_{name}" if often[name.casefold()] > 1 else name
        for name, path in found
    ]
    seen: Counter[str] = Counter()
    for index, name in enumerate(longer):
        seen[name.casefold()] += 1
        if seen[name.casefold()] > 1:
            longer[index] = f"{name}_{seen[name.casefold()]}"
    return longer


def _partner(place: Path, name: str, *, what: str) -> Path:
    """A file itself, or the one in a folder that belongs to an example's name."""
    if not place.exists():
        raise ReadError(f"There is no {place.name}.", hint="Check the path and its spelling.")
    if not place.is_dir():
        return place
    held = {
        image.relative_to(place).with_name(stem(image)).as_posix(): image
        for image in image_paths(place, pictures=True)
    }
    fitting = [held[name]] if name in held else [
        image for other, image in held.items() if other.startswith((f"{name}_", f"{name}-"))
    ]  # fmt: skip
    if len(fitting) != 1:
        raise ReadError(
            f"{name} has {len(fitting) or 'no'} files in the folder of the {what}.",
            hint="Name the files alike in both folders.",
        )
    return fitting[0]
