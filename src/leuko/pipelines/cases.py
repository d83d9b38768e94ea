"""Which scans the inputs of a run stand for: files, folders, BIDS data sets, lists, archives.

A scan is an image file, or a DICOM study. Archives are unpacked for as long as the run lasts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from leuko.errors import LeukoError, ReadError, UsageError
from leuko.formats.archive import is_archive, unpacked
from leuko.pipelines.case import Case, Problem, safe_name
from leuko.pipelines.cases_bids import cases_of_bids, is_bids
from leuko.pipelines.cases_list import cases_of_list, is_list
from leuko.pipelines.from_scanner import holds_dicom, visits
from leuko.pipelines.our_files import is_ours

__all__ = ["Case", "find_cases", "is_alone", "left_out", "named", "opened"]

# What holds a volume; of a pair of files only the header.
SUFFIXES = (
    ".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd", ".mgz", ".mgh", ".mnc", ".mnc.gz",
    ".hdr", ".hdr.gz",
)  # fmt: skip
FLAIR = re.compile(r"flair|dark.?fluid|tirm|t2.?fl", re.IGNORECASE)
# Derived images that carry the scan's name: flair_mask.nii.gz, FLAIR_dseg.nii.gz ...
DERIVED = re.compile(
    r"(^|[-_. ])(mask|d?seg|segmentation|lesions?|labels?|prob(seg|ability)?|truth|anatomy)"
    r"($|[-_. ])",
    re.IGNORECASE,
)
PLAIN = re.compile(r"^(t2)?[-_ ]?flair$", re.IGNORECASE)  # a name that says nothing of the case
ARCHIVE = re.compile(r"\.(zip|tar|tgz|tar\.gz)$", re.IGNORECASE)  # unpacked, it is a folder


@contextmanager
def opened(inputs: Sequence[Path]) -> Iterator[list[Path]]:
    """The inputs with every archive among them unpacked, until the block ends.

    A single input that does not exist raises ReadError (exit 3), and what `archive.unpacked`
    raises; of several such an input stays as it is, and `find_cases` says what is wrong with it.
    """
    with ExitStack() as stack:
        found = []
        for given in inputs:
            try:
                found.append(_opened(given, stack))
            except LeukoError:
                if len(inputs) == 1:
                    raise
                found.append(given)
        yield found


def is_alone(inputs: Sequence[Path], cases: Sequence[Case]) -> bool:
    """Whether OUT itself is the folder of the one case: of a file, or of DICOM of one study.

    `inputs` are as the user gave them; an archive is a file, a list is none.
    """
    if len(inputs) != 1 or len(cases) != 1 or is_list(inputs[0]):
        return False
    return not inputs[0].is_dir() or cases[0].visit is not None


def find_cases(inputs: Sequence[Path]) -> tuple[Case, ...]:
    """The scans that `inputs` (files, folders, lists) stand for, sorted within each folder.

    Of a folder and its subfolders the images named like a FLAIR count, or all where none is named
    so; results of leuko and images named as derived (mask, seg, lesions ...) are left out. Every
    DICOM study is a case, wherever its files lie. Of a BIDS data set the FLAIRs of its subjects
    count (`cases_bids`), of a list its rows (`cases_list`). A file that was given itself counts
    whatever its name.

    Raises ReadError (exit 3) where the only input does not exist, UsageError (exit 2) where it is
    a folder without a scan or a list that cannot be understood, or where the single slices of a
    series were given. Of several inputs such a one becomes a case with its `problem`.
    """
    found: list[Case] = []
    for given in inputs:
        try:
            found += _cases_of(given)
        except LeukoError as error:
            if len(inputs) == 1:
                raise
            found.append(Case("", given, problem=Problem.of(error)))
    _require_whole_series(inputs, found)
    # Links name cases better than what they point to (in some archives that is only a hash).
    different: dict[object, Case] = {}
    for number, case in enumerate(found):
        own = number if case.problem else (case.path.resolve(), _study_uid(case))
        different.setdefault(own, replace(case, path=case.path.absolute()))
    return named(tuple(different.values()))


def left_out(inputs: Sequence[Path], cases: Iterable[Case]) -> int:
    """How many images in the folders among `inputs` are no case: derived, or not named FLAIR."""
    taken = {case.path.resolve() for case in cases}
    seen = {path.resolve() for given in inputs if given.is_dir() for path in _images_in(given)}
    return len(seen - taken)


def named(cases: Sequence[Case]) -> tuple[Case, ...]:
    """The cases with a name each, unique: their own made safe, else one from where they lie."""
    unnamed = iter(_numbered([case.path for case in cases if not case.name]))
    names = [safe_name(case.name) if case.name else next(unnamed) for case in cases]
    while clashing := _clashing(names):
        for index in clashing:
            names[index] = f"{names[index]}_{index + 1}"
    return tuple(replace(case, name=name) for case, name in zip(cases, names, strict=True))


def _opened(given: Path, stack: ExitStack) -> Path:
    if not given.exists():
        raise _missing(given)
    if given.is_dir() or not is_archive(given):
        return given
    return stack.enter_context(unpacked(given))


def _missing(given: Path) -> ReadError:
    return ReadError(
        f"There is no file or folder {given.name}.", hint="Check the path and its spelling."
    )


def _cases_of(given: Path) -> list[Case]:
    """What one input stands for; the names of its cases are empty where it gives none."""
    if not given.exists():
        raise _missing(given)
    if given.is_dir():
        return _cases_in(given)
    if is_list(given):
        return cases_of_list(given)
    if holds_dicom(given):
        return [Case("", visit.path, visit) for visit in visits(given)] or [Case("", given)]
    return [Case("", given)]


def _cases_in(folder: Path) -> list[Case]:
    if is_bids(folder):
        return cases_of_bids(folder)
    held = [Case("", path) for path in _scans_in(folder)]
    if holds_dicom(folder):
        held += [Case("", visit.path, visit) for visit in visits(folder)]
    if not held:
        raise UsageError(
            f"{folder.name} holds no scan (NIfTI, NRRD, MINC, MGH, DICOM ...).",
            hint="Give the folder with the FLAIR files, or the files themselves.",
        )
    return held


def _numbered(paths: Sequence[Path]) -> list[str]:
    """A name for each path; studies that share a folder are numbered."""
    distinct = list(dict.fromkeys(paths))
    name_of = dict(zip(distinct, _names(distinct), strict=True))
    often, seen = Counter(paths), Counter[Path]()
    found = []
    for path in paths:
        seen[path] += 1
        found.append(f"{name_of[path]}_{seen[path]}" if often[path] > 1 else name_of[path])
    return found


def _study_uid(case: Case) -> str:
    return case.visit.uid if case.visit else ""


def _require_whole_series(inputs: Sequence[Path], found: Sequence[Case]) -> None:
    """Slices given one by one would each become a case: ask for their folder."""
    slices = [_study_uid(case) for case in found if case.visit and not case.path.is_dir()]
    if len(slices) > 1 and len(set(slices)) < len(slices):
        raise UsageError(
            f"{len(inputs)} DICOM files were given one by one.",
            hint="Give the folder that holds them.",
        )


def _scans_in(folder: Path) -> list[Path]:
    images = [path for path in _images_in(folder) if not DERIVED.search(_stem(path))]
    return [path for path in images if FLAIR.search(path.name)] or images


def _images_in(folder: Path) -> Iterator[Path]:
    try:
        if is_ours(folder):
            return
        entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise ReadError(
            f"A folder of scans cannot be read: {error.strerror}.",
            hint="Check the permissions of the folder and of those in it.",
        ) from error
    yield from (entry for entry in entries if entry.is_file() and _is_image(entry))
    for entry in entries:
        if entry.is_dir() and not entry.is_symlink():
            yield from _images_in(entry)


def _is_image(path: Path) -> bool:
    return path.name.lower().endswith(SUFFIXES)


def _stem(path: Path) -> str:
    for suffix in SUFFIXES:
        if path.name.lower().endswith(suffix):
            return path.name[: -len(suffix)]
    return path.stem


def _names(paths: Sequence[Path]) -> list[str]:
    """Names from the files' own, with as many folders in front as it takes to tell them apart."""
    parts = [_name_parts(path) for path in paths]
    depths = [1] * len(paths)
    while True:
        names = [_name(part, depth) for part, depth in zip(parts, depths, strict=True)]
        clashing = _clashing(names)
        deeper = [index for index in clashing if depths[index] < len(parts[index])]
        if not deeper:
            break
        for index in deeper:
            depths[index] += 1
    for index in clashing:  # different names that become the same when made safe
        names[index] = f"{names[index]}_{index + 1}"
    return names


def _name_parts(path: Path) -> tuple[str, ...]:
    """The file's name and its folders, innermost first; a name like FLAIR gives way to them."""
    folders = tuple(reversed(path.parent.parts[1:]))
    stem = ARCHIVE.sub("", path.name) if path.is_dir() else _stem(path)
    return folders if PLAIN.match(stem) and folders else (stem, *folders)


def _name(parts: Sequence[str], depth: int) -> str:
    return safe_name("_".join(reversed(parts[:depth])))


def _clashing(names: Sequence[str]) -> list[int]:
    """Where names are not unique; some disks do not tell upper from lower case."""
    folded = [name.casefold() for name in names]
    often = Counter(folded)
    return [index for index, name in enumerate(folded) if often[name] > 1]
