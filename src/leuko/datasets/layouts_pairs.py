"""Which mask, channel or region belongs to which image, by the names of the files."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from leuko.datasets.layouts_source import some
from leuko.errors import UsageError

__all__ = ["pairs"]

# What a file is, as opposed to whose; left out of a name when partners are looked for.
ROLES = {
    "image", "images", "img", "imgs", "scan", "volume", "vol", "mask", "masks", "seg", "dseg",
    "segmentation", "label", "labels", "lesion", "lesions", "truth", "gt", "manual", "annotation",
    "region", "roi", "brain", "flair", "t1", "t1w", "t2", "t2w", "pd", "dwi", "adc", "ct", "mr",
    "mri", "channel", "ch",
}  # fmt: skip
WORDS = re.compile(r"(?<![^\W_])t[12]w?(?![^\W_])|[^\W\d_]+|\d+")


def pairs(
    names: Iterable[str], partners: Mapping[str, Path], *, what: str, where: str
) -> dict[str, Path]:
    """The partner of each name among `partners` (name to file).

    A partner has the same name (`07` and `07`); else the same name but for words that say what a
    file is (`image_07` and `label_07`, `07_flair` and `07_lesions`); else a name that goes on after
    `_` or `-` (`07` and `07_by_anna`). Raises UsageError (exit 2) where a name has no partner or
    several, and where a partner has no name: what is missing is said.
    """
    wanted = list(names)
    found = {name: partners[name] for name in wanted if name in partners}
    left = {name: path for name, path in partners.items() if name not in found}
    missing = [name for name in wanted if name not in found]
    _take(_by_key(missing, left), found, left, what=what)
    missing = [name for name in missing if name not in found]
    _take(_by_beginning(missing, left), found, left, what=what)
    _require_whole([name for name in wanted if name not in found], left, what=what, where=where)
    return found


def _take(
    candidates: Mapping[str, Sequence[str]],
    found: dict[str, Path],
    left: dict[str, Path],
    *,
    what: str,
) -> None:
    """Move the partners of names that have just one from `left` to `found`."""
    for name, fitting in candidates.items():
        if len(fitting) > 1:
            raise UsageError(
                f"{name} has {len(fitting)} {what}s: {some([left[one].name for one in fitting])}.",
                hint="Keep one of them, or say which in a list file.",
            )
    for name, fitting in candidates.items():
        for one in fitting:
            if one in left:
                found[name] = left.pop(one)


def _by_key(names: Sequence[str], left: Mapping[str, Path]) -> dict[str, list[str]]:
    held = defaultdict(list)
    for other in left:
        held[_key(other)].append(other)
    return {name: held[_key(name)] for name in names if _key(name)}


def _by_beginning(names: Sequence[str], left: Mapping[str, Path]) -> dict[str, list[str]]:
    """Names that go on; of several names that fit, a partner belongs to the longest."""
    owned = defaultdict(list)
    for other in left:
        owners = [name for name in names if other.startswith((f"{name}_", f"{name}-"))]
        if owners:
            owned[max(owners, key=len)].append(other)
    return owned


def _key(name: str) -> tuple[str, ...]:
    words = WORDS.findall(name.casefold())
    return tuple(word for word in words if word not in ROLES)


def _require_whole(
    missing: Sequence[str], left: Mapping[str, Path], *, what: str, where: str
) -> None:
    if missing:
        beside = f"; left over there: {some([path.name for path in left.values()])}" if left else ""
        raise UsageError(
            f"{len(missing)} of the images have no {what} in {where}: {some(missing)}{beside}.",
            hint="Give each image a file of the same name, or pair them in a list file "
            "(columns image, mask).",
        )
    if left:
        files = [path.name for path in left.values()]
        raise UsageError(
            f"{len(left)} of the files in {where} belong to no image: {some(files)}.",
            hint="Take them away, or pair the files in a list file (columns image, mask).",
        )
