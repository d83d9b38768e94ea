"""Which reference belongs to which prediction: files, folders, or patterns, paired by name."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from leuko.errors import ReadError, UsageError
from leuko.formats.registry import FORMATS

__all__ = ["Pairing", "PathPair", "is_single", "named_files", "pair_paths", "partners"]

MASK_NAME = "wmh"  # what `leuko segment` calls its mask
SECOND_HALF = ".img"  # its .hdr stands for the pair


@dataclass(frozen=True, slots=True)
class PathPair:
    """One case: its name and its two files."""

    case: str
    reference: Path
    prediction: Path


@dataclass(frozen=True, slots=True)
class Pairing:
    """The pairs in order of their names, and the file names that have no partner."""

    pairs: tuple[PathPair, ...]
    only_reference: tuple[str, ...] = ()
    only_prediction: tuple[str, ...] = ()


def is_single(path: Path) -> bool:
    """Whether `path` names one file, not a folder and not a pattern."""
    return "*" not in str(path) and not path.is_dir()


def pair_paths(reference: Path, prediction: Path) -> Pairing:
    """Pair two files, or the images of two folders (subfolders too), or of two patterns.

    In folders a file's partner has the same path without the suffix; else the same case, where a
    case is a folder with one image or with a mask called wmh, or a file of the case's name:
    TRUTH/07.nii.gz and OUT/07/wmh.nii.gz are a pair. In a pattern the case is what its stars stand
    for: DATA/*/lesions.nii.gz and OUT/*.nii.gz pair DATA/07/lesions.nii.gz with OUT/07.nii.gz.

    Raises ReadError (exit 3) where a path is not there, UsageError (exit 2) where a file is to be
    paired with a folder or nothing can be paired.
    """
    if is_single(reference) != is_single(prediction):
        missing = [path for path in (reference, prediction) if _is_missing(path)]
        if missing:
            raise _not_there(missing[0])
        raise UsageError(
            "One of REF and PRED is one file and the other several.",
            hint="Give two files, or two folders (or patterns) whose files have the same names.",
        )
    if is_single(reference):
        for path in (reference, prediction):
            if _is_missing(path):
                raise _not_there(path)
        return Pairing((PathPair(_stem(reference), reference, prediction),))
    pairing = _pair_names(_several(reference), _several(prediction))
    if not pairing.pairs:
        raise UsageError(
            f"Nothing in {reference.name} has a partner of the same name in {prediction.name}: "
            f"{_some(pairing.only_reference)} against {_some(pairing.only_prediction)}.",
            hint="Name the files alike, or give two files.",
        )
    return pairing


def partners(cases: Iterable[str], *, images: Path) -> dict[str, Path]:
    """The image of each case in `images` (a file, a folder or a pattern); the others have none.

    An image belongs to a case by its name, by its folder, or by beginning with the case's name
    (07_flair.nii.gz to 07). Raises ReadError (exit 3) where `images` is not there.
    """
    wanted = list(cases)
    if is_single(images):
        if _is_missing(images):
            raise _not_there(images)
        return {wanted[0]: images} if len(wanted) == 1 else {}
    files = _several(images)
    by_case = {case: path for case, (_, path) in _by_case(files).items()}
    found = {case: _partner(case, files=files, by_case=by_case) for case in wanted}
    return {case: path for case, path in found.items() if path is not None}


def named_files(paths: Iterable[Path]) -> dict[str, Path]:
    """Case name to file, of files, folders and patterns; each name once.

    A file's case is its name without suffix, with its folder's name before it where files of one
    name were given. Raises ReadError (exit 3) where something is not there.
    """
    single: list[Path] = []
    found: dict[str, Path] = {}
    for path in paths:
        if not is_single(path):
            found |= _several(path)
        elif _is_missing(path):
            raise _not_there(path)
        else:
            single.append(path)
    names = [_stem(path) for path in single]
    for name, path in zip(names, single, strict=True):
        alone = names.count(name) == 1 and name not in found
        found[name if alone else f"{path.absolute().parent.name}/{name}"] = path
    return found


def _partner(case: str, *, files: Mapping[str, Path], by_case: Mapping[str, Path]) -> Path | None:
    folder = Path(case).parent.as_posix()
    direct = files.get(case) or by_case.get(case) or by_case.get(folder)
    if direct is not None:
        return direct
    begins = re.compile(re.escape(case) + r"[^0-9A-Za-z]")
    longer = [path for name, path in files.items() if begins.match(name)]
    return longer[0] if len(longer) == 1 else None


def _several(path: Path) -> dict[str, Path]:
    """Case name to file, of a folder or of a pattern with stars."""
    if "*" not in str(path):
        if _is_missing(path):
            raise _not_there(path)
        return _images(path)
    parts = re.escape(str(path)).split(re.escape("*"))
    shape = re.compile("([^/]*)".join(parts))
    found = {}
    for name in sorted(glob.glob(str(path))):  # noqa: PTH207  # absolute patterns, too
        if (match := shape.fullmatch(name)) and Path(name).is_file():
            found["/".join(match.groups())] = Path(name)
    if not found:
        raise ReadError(
            f"No file fits the pattern {path.name}.",
            hint="Check the pattern, and put it in quotes so that the shell leaves it alone.",
        )
    return found


def _is_missing(path: Path) -> bool:
    return "*" not in str(path) and not path.exists()


def _not_there(path: Path) -> ReadError:
    return ReadError(f"There is no {path.name}.", hint="Check the path.")


def _pair_names(references: dict[str, Path], predictions: dict[str, Path]) -> Pairing:
    pairs = [
        PathPair(name, references[name], predictions[name])
        for name in references.keys() & predictions.keys()
    ]
    done = {pair.case for pair in pairs}
    left = _by_case({name: path for name, path in references.items() if name not in done})
    right = _by_case({name: path for name, path in predictions.items() if name not in done})
    cases = left.keys() & right.keys()
    pairs += [PathPair(case, left[case][1], right[case][1]) for case in cases]
    used_left = done | {left[case][0] for case in cases}
    used_right = done | {right[case][0] for case in cases}
    # The other files of a case (its lesions, its anatomy) are not missing anything.
    folders = {str(Path(name).parent) for name in used_right}
    return Pairing(
        pairs=tuple(sorted(pairs, key=lambda pair: pair.case)),
        only_reference=tuple(sorted(references.keys() - used_left)),
        only_prediction=tuple(
            name
            for name in sorted(predictions.keys() - used_right)
            if str(Path(name).parent) == "." or str(Path(name).parent) not in folders
        ),
    )


def _by_case(files: dict[str, Path]) -> dict[str, tuple[str, Path]]:
    """Case name to (relative name, path); a case that could be several files is left out."""
    found: dict[str, list[str]] = {}
    for name in files:
        folder = Path(name).parent.as_posix()
        if folder == ".":
            found.setdefault(name, []).append(name)
        else:
            found.setdefault(folder, []).append(name)
    cases = {}
    for case, names in found.items():
        masks = [name for name in names if Path(name).name == MASK_NAME]
        chosen = names if len(names) == 1 else masks
        if len(chosen) == 1:
            cases[case] = (chosen[0], files[chosen[0]])
    return cases


def _images(folder: Path) -> dict[str, Path]:
    """Relative path without suffix, to path, of every readable image below `folder`."""
    return {
        path.relative_to(folder).with_name(_stem(path)).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if _suffix(path) and not path.name.startswith(".") and path.is_file()
    }


def _suffix(path: Path) -> str:
    """The longest suffix of an image format that the name ends with; empty where none."""
    known = {suffix for entry in FORMATS.values() if entry.reader for suffix in entry.suffixes}
    fitting = [end for end in known - {SECOND_HALF} if path.name.lower().endswith(end.lower())]
    return max(fitting, key=len, default="")


def _stem(path: Path) -> str:
    end = _suffix(path)
    return path.name[: -len(end)] if end and path.name != end else path.stem


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - 3} more" if len(listed) > 3 else ""
    return (", ".join(listed[:3]) or "no image") + more
