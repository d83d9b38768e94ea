"""What a user says about a data set: where its files are and how they are laid out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from leuko.datasets.files import natural
from leuko.datasets.items import Item
from leuko.errors import ReadError, UsageError

__all__ = ["LAYOUTS", "DataSource", "Layout", "folder_at", "in_order", "required", "some"]

Layout = Literal["folders", "list", "bids", "decathlon", "nnunet"]
LAYOUTS: tuple[Layout, ...] = ("folders", "list", "bids", "decathlon", "nnunet")
SHOWN = 3  # names in a message


class DataSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the images and masks of a data set are; what a layout does not use must stay empty.

    `images`: a folder, or several, each a channel (folders); the columns that are channels (list);
    the parts of a file name that choose the channels, such as `FLAIR` or `acq-hr_T1w` (bids).
    `masks`: a folder (folders), or the parts of a file name (bids). `regions`: a folder of masks to
    which the work is confined (folders). `list`: a .tsv, .csv or .json file. `root`: the folder of
    the other layouts, and the one that paths in a list count from (else the list's own). `subject`
    and `site`: regular expressions with one group, searched in the name of an example (its path
    below the folder, joined by `_`, without suffix). `category`: the class of a whole example:
    `mask` (present or absent), or `folder` (the name of its folder). `classes`: names of labels.
    """

    layout: Layout
    images: str | tuple[str, ...] = ()
    masks: str = ""
    regions: str = ""
    list: str = ""
    root: str = ""
    subject: str = ""
    site: str = ""
    category: Literal["", "mask", "folder"] = ""
    classes: dict[int, str] = {}

    def channels(self) -> tuple[str, ...]:
        """`images` as a tuple, whichever way it was given."""
        if isinstance(self.images, str):
            return (self.images,) if self.images else ()
        return tuple(self.images)

    def subject_of(self, name: str, *, otherwise: str) -> str:
        """The person an example belongs to, by `subject`; without one, `otherwise`."""
        return _captured(self.subject, name, field="subject") if self.subject else otherwise

    def site_of(self, name: str) -> str:
        """The site an example is of, by `site`; empty without one."""
        return _captured(self.site, name, field="site") if self.site else ""


def required(source: DataSource, field: str) -> str:
    """A field that the layout cannot do without, as text; UsageError (exit 2) where it is empty."""
    value = getattr(source, field)
    if not value:
        raise UsageError(
            f"Data of the layout '{source.layout}' needs {field}:.",
            hint=f"Add {field}: to the description of the data.",
        )
    return str(value)


def folder_at(base: Path, place: str) -> Path:
    """A folder that is there; relative places count from `base`. ReadError (exit 3) otherwise."""
    folder = base / Path(place).expanduser()
    if not folder.is_dir():
        kind = "is a file, not a folder" if folder.exists() else "is not there"
        raise ReadError(f"The folder {folder.name} {kind}.", hint="Check the path.")
    return folder


def in_order(items: Iterable[Item]) -> tuple[Item, ...]:
    """The items by name, as people count. UsageError (exit 2) where a name is there twice."""
    found = sorted(items, key=lambda item: (natural(item.name), item.name))
    counts = Counter(item.name for item in found)
    doubled = [name for name, count in counts.items() if count > 1]
    if doubled:
        raise UsageError(
            f"{_count(doubled, 'name')} stand for more than one example: {some(doubled)}.",
            hint="Give each example one file of its own name (not both 07.nii and 07.nii.gz).",
        )
    return tuple(found)


def some(names: Sequence[str]) -> str:
    """The first names of many, for a message."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _count(names: Sequence[str], what: str) -> str:
    return f"{len(names)} {what}{'s' if len(names) > 1 else ''}"


def _captured(pattern: str, name: str, *, field: str) -> str:
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise UsageError(
            f"{field}: {pattern} is no regular expression: {error}.",
            hint=r"An example: (sub-\d+)",
        ) from error
    if expression.groups > 1:
        raise UsageError(
            f"{field}: {pattern} has {expression.groups} groups, where one is needed.",
            hint="Write the other groups as (?:...).",
        )
    match = expression.search(name)
    found = "" if match is None else match.group(expression.groups)
    if not found:
        raise UsageError(
            f"{field}: {pattern} is not found in the name {name}.",
            hint="The expression is searched in the example's name: its path below the folder, "
            "joined by _, without suffix.",
        )
    return found
