"""The layout `folders`: a folder of images (or one a channel), and a folder of their masks."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from leuko.datasets.files import DERIVED, image_paths, is_picture, name_below, stem
from leuko.datasets.items import Item
from leuko.datasets.layouts_pairs import pairs
from leuko.datasets.layouts_source import DataSource, folder_at, required, some
from leuko.errors import UsageError

__all__ = ["bids_subject", "read_folders", "require_told"]

BIDS_SUBJECT = re.compile(r"(?<![A-Za-z0-9])(sub-[A-Za-z0-9]+)")
SLICE = re.compile(r"\d+(?!.*\d)")  # the last number of a name


def read_folders(source: DataSource, *, base: Path) -> list[Item]:
    """Items of images and masks in folders. Raises UsageError (exit 2), ReadError (exit 3)."""
    required(source, "images")
    folders = [folder_at(base, place) for place in source.channels()]
    masks = folder_at(base, source.masks) if source.masks else None
    regions = folder_at(base, source.regions) if source.regions else None
    aside = [folder for folder in (*folders[1:], masks, regions) if folder is not None]
    images = _images(folders[0], aside=aside, mixed=masks is not None and masks == folders[0])
    channels = [
        pairs(images, _held(folder), what="channel", where=folder.name) for folder in folders[1:]
    ]
    labels = _partners(images, masks, what="mask")
    within = _partners(images, regions, what="region")
    subjects = _subjects(source, images)
    items = [
        Item(
            name=name,
            subject=subjects[name],
            images=(path, *(channel[name] for channel in channels)),
            label=labels.get(name),
            region=within.get(name),
            site=source.site_of(name),
        )
        for name, path in images.items()
    ]
    if source.category == "folder":
        items = [replace(item, category=_parent(item.images[0], folders[0])) for item in items]
    return items


def bids_subject(name: str) -> str:
    """`sub-07` of a name that holds it; else empty."""
    match = BIDS_SUBJECT.search(name)
    return match.group(1) if match else ""


def _images(folder: Path, *, aside: Sequence[Path], mixed: bool) -> dict[str, Path]:
    """Name to file. A folder that holds masks, too (`mixed`), is read without them."""
    below = [place.resolve() for place in aside if place.resolve() != folder.resolve()]
    paths = [
        path
        for path in image_paths(folder, pictures=True)
        if not any(place in path.resolve().parents for place in below)
        and not (mixed and DERIVED.search(stem(path)))
    ]
    return _named(paths, folder)


def _held(folder: Path) -> dict[str, Path]:
    return _named(image_paths(folder, pictures=True), folder)


def _partners(images: Mapping[str, Path], folder: Path | None, *, what: str) -> dict[str, Path]:
    if folder is None:
        return {}
    taken = set(images.values())
    held = {name: path for name, path in _held(folder).items() if path not in taken}
    return pairs(images, held, what=what, where=folder.name)


def _named(paths: Sequence[Path], folder: Path) -> dict[str, Path]:
    """Name to file; pictures beside volumes (previews) are left out."""
    volumes = [path for path in paths if not is_picture(path)] or list(paths)
    if not volumes:
        raise UsageError(
            f"The folder {folder.name} holds no images.",
            hint="Give the folder of the image files (NIfTI, NRRD, PNG ...). A DICOM series is "
            "a folder of its own: name it in a list file, or convert it (leuko convert).",
        )
    found: dict[str, list[Path]] = defaultdict(list)
    for path in volumes:
        found[name_below(path, folder)].append(path)
    doubled = [path.name for group in found.values() if len(group) > 1 for path in group]
    if doubled:
        raise UsageError(
            f"Several files in {folder.name} stand for one name: {some(doubled)}.",
            hint="Keep one of them, or rename it; suffixes do not count, and a/b is called a_b.",
        )
    return {name: group[0] for name, group in found.items()}


def _subjects(source: DataSource, images: Mapping[str, Path]) -> dict[str, str]:
    """Whose each image is. Slices of a person in files of their own need to be told together."""
    if not source.subject and all(is_picture(path) for path in images.values()):
        require_told(images)
    return {name: source.subject_of(name, otherwise=bids_subject(name) or name) for name in images}


def require_told(names: Iterable[str]) -> None:
    """Refuse pictures that look like the slices of several people when no `subject` is given."""
    series: dict[str, list[str]] = defaultdict(list)
    for name in names:
        if not bids_subject(name):
            series[SLICE.sub("", name)].append(name)
    slices = [names for names in series.values() if len(names) > 1]
    if len(slices) > 1:
        raise UsageError(
            f"The pictures look like slices of {len(series)} people ({some(slices[0])}), and "
            "nothing says which belong together.",
            hint="Add subject: with an expression that finds the person in the name, for example "
            r"(patient\d+), so that no one is in training and in test. subject: (.+) says that "
            "each picture is a person of its own.",
        )


def _parent(path: Path, root: Path) -> str:
    if path.parent == root:
        raise UsageError(
            f"{path.name} lies in no class's folder.",
            hint=f"With category: folder, each class has a folder of its name in {root.name}.",
        )
    return path.parent.name
