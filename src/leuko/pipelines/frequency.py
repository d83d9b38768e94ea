"""How often each place of the template is affected in a group: the lesion frequency map."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from leuko.anatomy.template import SPACE, template_grid
from leuko.anatomy.template_bend import bend_template, mask_in_mni
from leuko.anatomy.template_landing import landing_findings, place_on_template
from leuko.anatomy.tissues import tissues_of
from leuko.errors import LeukoError, ReadError, UnusableInput, UsageError
from leuko.formats.read import read_mask
from leuko.formats.write import write
from leuko.image.image import Image, to_canonical
from leuko.pipelines.json_texts import indented
from leuko.pipelines.our_files import PROGRAM, STATISTICS
from leuko.pipelines.outputs import out_folder, writing
from leuko.pipelines.provenance import now, program_version
from leuko.pipelines.tab_texts import tab_separated
from leuko.pipelines.template_space import IN_MNI
from leuko.registration.transforms import compose

__all__ = ["FREQUENCY_JSON", "Frequency", "LeftOut", "case_folders", "frequency_files",
           "frequency_map"]  # fmt: skip

FREQUENCY_JSON = "frequency.json"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A case that does not count, and why."""

    case: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Frequency:
    """The share of cases (0..1, float32) with a lesion at each place of the template (1 mm)."""

    image: Image
    cases: tuple[str, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def highest(self) -> float:
        """The share where most cases have a lesion."""
        return float(self.image.data.max())


def case_folders(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The results of `leuko segment` in and below folders, in the order of their paths.

    Raises UsageError (exit 2) where there are none.
    """
    found: list[Path] = []
    for path in paths:
        found += sorted(_results(path))
    unique = tuple(dict.fromkeys(one.resolve() for one in found))
    if not unique:
        raise UsageError(
            f"There is no result of leuko segment in {', '.join(p.name for p in paths)}.",
            hint="Give the OUT of a cohort: leuko segment SCANS -o OUT --mni.",
        )
    return unique


def frequency_map(folders: Sequence[Path]) -> Frequency:
    """The frequency map of finished cases (folders with stats.json and wmh.nii.gz).

    The mask in MNI space is read where `--mni` wrote one, else it is made from wmh.nii.gz and
    anatomy.nii.gz. Cases that cannot be laid on the template are left out with the reason; so are
    broken ones. Raises UsageError (exit 2) for two cases of one scan, UnusableInput (exit 4) where
    no case counts.
    """
    _require_different(folders)
    names = _names(folders)
    grid = template_grid()
    total = np.zeros(grid.shape, dtype=np.int32)
    counted, left_out = [], []
    for name, folder in zip(names, folders, strict=True):
        try:
            total += _in_mni(folder)
        except LeukoError as error:
            left_out.append(LeftOut(name, str(error)))
        else:
            counted.append(name)
    if not counted:
        raise UnusableInput(
            f"None of {len(folders)} cases could be laid on the template: {left_out[0].reason}",
            hint="Look at the findings of the cases.",
        )
    share = (total / np.float32(len(counted))).astype(np.float32)
    return Frequency(Image(share, grid), tuple(counted), tuple(left_out))


def frequency_files(paths: Sequence[Path], *, out: Path, force: bool = False) -> Frequency:
    """Write frequency.nii.gz, frequency.png, cases.tsv and frequency.json into the folder `out`.

    Raises what `case_folders`, `frequency_map` and `outputs.out_folder` raise.
    """
    from leuko.report.frequency_picture import frequency_picture

    folders = case_folders(paths)
    with out_folder(out, force=force, marker=FREQUENCY_JSON) as folder:
        found = frequency_map(folders)
        with writing(folder.name):
            write(found.image, folder / "frequency.nii.gz")
            picture = frequency_picture(
                np.asarray(found.image.data, dtype=np.float32), cases=len(found.cases)
            )
            (folder / "frequency.png").write_bytes(picture)
            (folder / "cases.tsv").write_bytes(_table(found))
            (folder / FREQUENCY_JSON).write_bytes(_record(found))
    return found


def _results(path: Path) -> Iterator[Path]:
    """Folders with a stats.json and a mask; what lies inside a result is no further case."""
    if not path.is_dir():
        raise ReadError(f"There is no folder {path.name}.", hint="Give the OUT of leuko segment.")
    for root, inner, files in os.walk(path):
        if STATISTICS in files and "wmh.nii.gz" in files:
            inner.clear()
            yield Path(root)
        inner[:] = sorted(name for name in inner if not name.startswith("."))


def _require_different(folders: Sequence[Path]) -> None:
    """UsageError where two folders are results of one scan."""
    seen: dict[str, str] = {}
    for folder in folders:
        digest = _input_hash(folder)
        if digest and digest in seen:
            raise UsageError(
                f"{seen[digest]} and {folder.name} are results of the same scan: it would count "
                "twice.",
                hint="Leave one of them out.",
            )
        seen[digest] = folder.name


def _input_hash(folder: Path) -> str:
    """The hash of the scan that a result is of; a name that is unique where there is none."""
    try:
        found = json.loads((folder / STATISTICS).read_bytes())["provenance"]["input_sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        found = None
    return str(found or folder)


def _names(folders: Sequence[Path]) -> list[str]:
    """What tells the cases apart: the folders' paths below what they have in common."""
    if len(folders) == 1:
        return [folders[0].name]
    shared = Path(os.path.commonpath(folders))
    return [folder.relative_to(shared).as_posix() for folder in folders]


def _in_mni(folder: Path) -> npt.NDArray[np.bool_]:
    """A case's mask on the template's 1 mm grid."""
    grid = template_grid()
    if (folder / IN_MNI).is_file():
        there = read_mask(folder / IN_MNI)
        if there.grid.shape == grid.shape and there.grid.corner_distance(grid) < 0.01:
            return np.asarray(there.data != 0)
    mask = read_mask(folder / "wmh.nii.gz")
    written = read_mask(folder / "anatomy.nii.gz")
    anatomy = tissues_of(to_canonical(written.data.astype(np.uint8), written.grid))
    canonical = mask.grid.canonical()
    placement = place_on_template(anatomy, spacing=canonical.spacing)
    doubts = landing_findings(placement, oriented=mask.grid.oriented)
    if placement is None or doubts:
        raise UnusableInput(doubts[0].what if doubts else "There is no brain.")
    bend = bend_template(anatomy, spacing=canonical.spacing, linear=placement.from_template)
    to_scan = compose(bend, placement.to_world(canonical))
    return mask_in_mni(np.asarray(mask.data != 0), grid=mask.grid, transform=to_scan) > 0


def _table(found: Frequency) -> bytes:
    counted = [(case, "yes", "") for case in found.cases]
    left_out = [(one.case, "no", one.reason) for one in found.left_out]
    return tab_separated([("case", "counted", "reason"), *counted, *left_out])


def _record(found: Frequency) -> bytes:
    content = {
        "cases": len(found.cases),
        "left_out": [asdict(one) for one in found.left_out],
        "highest_share": round(found.highest, 4),
        "space": SPACE,
        "definition": "share of cases with a white matter hyperintensity at each voxel, 0 to 1",
        "provenance": {"program": PROGRAM, "version": program_version(), "time": now()},
    }
    return indented(content)
