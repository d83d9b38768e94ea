"""The layouts that a dataset.json describes: Medical Decathlon and nnU-Net (version 1 and 2)."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leuko.datasets.files import image_paths, stem
from leuko.datasets.items import Item
from leuko.datasets.layouts_folders import bids_subject
from leuko.datasets.layouts_source import DataSource, folder_at, required, some
from leuko.errors import ReadError, UsageError

__all__ = ["DESCRIPTION", "described_classes", "read_decathlon", "read_description", "read_nnunet"]

DESCRIPTION = "dataset.json"
CHANNEL = re.compile(r"(?P<case>.+)_(?P<channel>\d{4})")


def read_decathlon(source: DataSource, *, base: Path) -> list[Item]:
    """The training pairs that the dataset.json of a Medical Decathlon task lists."""
    root = folder_at(base, required(source, "root"))
    listed = read_description(root).get("training")
    if not isinstance(listed, list) or not listed:
        raise UsageError(
            f"{DESCRIPTION} lists no training pairs.",
            hint="It has training: [{image: ..., label: ...}]. For data of nnU-Net say "
            "layout: nnunet.",
        )
    pairs = [_pair(root, entry) for entry in listed]
    missing = [path.name for pair in pairs for path in pair if path and not path.is_file()]
    if missing:
        raise ReadError(
            f"{len(missing)} of the files that {DESCRIPTION} lists are not there: {some(missing)}.",
            hint="Unpack the whole task; its folders are imagesTr and labelsTr.",
        )
    return [_item(source, name=stem(image), images=(image,), label=label) for image, label in pairs]


def read_nnunet(source: DataSource, *, base: Path) -> list[Item]:
    """The cases of an nnU-Net data set: imagesTr/CASE_0000 (a file a channel), labelsTr/CASE."""
    root = folder_at(base, required(source, "root"))
    images, labels = folder_at(root, "imagesTr"), folder_at(root, "labelsTr")
    channels: dict[str, dict[int, Path]] = defaultdict(dict)
    for path in image_paths(images, pictures=True):
        match = CHANNEL.fullmatch(stem(path))
        if match is None:
            raise UsageError(
                f"{path.name} in imagesTr has no number of a channel.",
                hint="nnU-Net calls the first channel of a case CASE_0000, the second CASE_0001.",
            )
        case, channel = match["case"], int(match["channel"])
        if channel in channels[case]:
            raise UsageError(f"{path.name} is there in two formats.", hint="Keep one of them.")
        channels[case][channel] = path
    truth = {stem(path): path for path in image_paths(labels, pictures=True)}
    _require_complete(channels, truth, wanted=_channel_count(root))
    return [
        _item(
            source,
            name=case,
            images=tuple(found[channel] for channel in sorted(found)),
            label=truth[case],
        )
        for case, found in channels.items()
    ]


def read_description(root: Path) -> dict[str, Any]:
    """What dataset.json says; ReadError (exit 3) where it is missing or no JSON object."""
    try:
        held = json.loads((root / DESCRIPTION).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ReadError(
            f"The folder {root.name} has no {DESCRIPTION}.",
            hint="Give the folder that holds it, or use the layout folders.",
        ) from error
    except ValueError as error:
        raise ReadError(f"{DESCRIPTION} is no JSON.", hint="Fetch the file again.") from error
    if not isinstance(held, dict):
        raise ReadError(f"{DESCRIPTION} is no JSON object.", hint="Fetch the file again.")
    return held


def described_classes(root: Path) -> dict[int, str]:
    """The names of the labels in dataset.json, background left out; empty where it has none.

    Both ways of writing are understood: {"1": "edema"} and {"edema": 1}. UsageError (exit 2) for
    regions made of several labels.
    """
    labels = read_description(root).get("labels", {})
    if not isinstance(labels, dict):
        return {}
    found = {}
    for key, value in labels.items():
        number, name = (key, value) if str(key).isdigit() else (value, key)
        if not str(number).isdigit():
            raise UsageError(
                f"{DESCRIPTION} makes {name} of several labels, which leuko cannot train.",
                hint="Name single labels in classes: of the data.",
            )
        found[int(number)] = str(name)
    return {number: name for number, name in sorted(found.items()) if number}


def _pair(root: Path, entry: object) -> tuple[Path, Path | None]:
    if isinstance(entry, dict) and isinstance(entry.get("image"), str):
        label = entry.get("label")
        return root / entry["image"], root / label if isinstance(label, str) else None
    raise UsageError(
        f"{DESCRIPTION} has an entry that names no image.",
        hint="Each entry of training: has image: and label:.",
    )


def _item(source: DataSource, *, name: str, images: tuple[Path, ...], label: Path | None) -> Item:
    return Item(
        name=name,
        subject=source.subject_of(name, otherwise=bids_subject(name) or name),
        images=images,
        label=label,
        site=source.site_of(name),
    )


def _channel_count(root: Path) -> int | None:
    if not (root / DESCRIPTION).is_file():
        return None
    description = read_description(root)
    names = description.get("channel_names") or description.get("modality")
    return len(names) if isinstance(names, dict) else None


def _require_complete(
    channels: Mapping[str, Mapping[int, Path]], truth: Mapping[str, Path], *, wanted: int | None
) -> None:
    if not channels:
        raise UsageError("imagesTr holds no images.", hint="Files are called CASE_0000.nii.gz.")
    count = wanted or max(len(found) for found in channels.values())
    wrong = [case for case, found in channels.items() if sorted(found) != list(range(count))]
    if wrong:
        raise UsageError(
            f"{len(wrong)} of {len(channels)} cases do not have all {count} channels: "
            f"{some(wrong)}.",
            hint="Each case needs CASE_0000, CASE_0001 ... up to the number of channels in "
            f"{DESCRIPTION}.",
        )
    bare = [case for case in channels if case not in truth]
    if bare:
        raise UsageError(
            f"{len(bare)} of the cases have no label in labelsTr: {some(bare)}.",
            hint="A label has its case's name, without the number of a channel.",
        )
    alone = [case for case in truth if case not in channels]
    if alone:
        raise UsageError(
            f"{len(alone)} of the labels in labelsTr have no image: {some(alone)}.",
            hint="Fetch the images again, or take these labels away.",
        )
