"""The other files of an image: found beside it, named by its header, never outside its folder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath

from leuko.errors import ReadError, SafetyRefusal

__all__ = ["beside", "numbered", "sibling"]

MAX_FILES = 100_000
_NUMBER = re.compile(r"%(?:0?\d{0,2})d")


def beside(header: Path, name: str) -> Path:
    """The file that `header` names as `name`, relative to its own folder.

    Raises SafetyRefusal (exit 5) for a name that leads out of the folder, ReadError (exit 3)
    where there is no such file.
    """
    windows = PureWindowsPath(name)
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or windows.drive or windows.root or parts[0] == "/" or ".." in parts:
        raise SafetyRefusal(
            f"{header.name} names a file outside its own folder as its voxels.",
            hint="Put the voxel file beside the header, and its plain name into the header.",
        )
    if "\0" in name:
        raise ReadError(
            f"{header.name} has a damaged header: the name of its voxel file is none.",
            hint="Copy or download the file again.",
        )
    found = header.parent.joinpath(*parts)
    if not found.is_file():
        raise ReadError(
            f"{header.name} is a header; its voxels, {parts[-1]}, are missing.",
            hint=f"Put {parts[-1]} where the header expects it: beside it.",
        )
    return found


def sibling(path: Path, *, ends: str, others: Sequence[str]) -> Path | None:
    """The file beside `path` that has one of the endings `others` instead of `ends`.

    None where `path` does not end in `ends` or nothing is there; cases of letters do not matter
    for `ends`, of `others` each is tried as given and in capitals.
    """
    if not path.name.lower().endswith(ends.lower()):
        return None
    stem = path.name[: len(path.name) - len(ends)]
    for other in others:
        for spelt in (other, other.upper()):
            candidate = path.with_name(stem + spelt)
            if candidate.is_file():
                return candidate
    return None


def numbered(pattern: str, *, first: int, last: int, step: int, name: str) -> list[str]:
    """File names from a pattern such as `slice%03d.raw`, for `first` to `last` by `step`.

    Raises ReadError (exit 3) for a pattern that is none; `name` is the header's.
    """
    found = _NUMBER.findall(pattern)
    if len(found) != 1 or pattern.count("%") != 1 or step == 0:
        raise ReadError(
            f"{name} has a damaged header: its pattern of file names cannot be read.",
            hint="Name the files one by one, or join them into one.",
        )
    numbers = range(first, last + (1 if step > 0 else -1), step)
    if not 0 < len(numbers) <= MAX_FILES:
        raise ReadError(
            f"{name} has a damaged header: it names {len(numbers)} voxel files.",
            hint="Name the files one by one, or join them into one.",
        )
    return [pattern.replace(found[0], found[0] % number) for number in numbers]
