"""Which reference mask belongs to which prediction: files or folders, paired by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from leuko.errors import ReadError, UsageError
from leuko.formats.registry import FORMATS

__all__ = ["Pairing", "PathPair", "pair_paths"]

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


def pair_paths(reference: Path, prediction: Path) -> Pairing:
    """Pair two files, or the images of two folders (subfolders too).

    In folders a file's partner has the same path without the suffix; else the same case, where a
    case is a folder with one image or with a mask called wmh, or a file of the case's name:
    TRUTH/07.nii.gz and OUT/07/wmh.nii.gz are a pair.

    Raises ReadError (exit 3) where a path is not there, UsageError (exit 2) where a file is to be
    paired with a folder or nothing can be paired.
    """
    for path in (reference, prediction):
        if not path.exists():
            raise ReadError(f"There is no {path.name}.", hint="Check the path.")
    if reference.is_dir() != prediction.is_dir():
        raise UsageError(
            "One of REF and PRED is a folder and the other a file.",
            hint="Give two files, or two folders whose files have the same names.",
        )
    if not reference.is_dir():
        return Pairing((PathPair(_stem(reference), reference, prediction),))
    pairing = _pair_folders(_images(reference), _images(prediction))
    if not pairing.pairs:
        raise UsageError(
            f"Nothing in {reference.name} has a partner of the same name in {prediction.name}: "
            f"{_some(pairing.only_reference)} against {_some(pairing.only_prediction)}.",
            hint="Name the files alike, or give two files.",
        )
    return pairing


def _pair_folders(references: dict[str, Path], predictions: dict[str, Path]) -> Pairing:
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
