"""Label scans without truth with trained networks, for a recipe to train on.

    python recipes/pseudo_labels.py runs/a/final.pt [runs/b/final.pt ...] OUT --data DATA

OUT holds probabilities of lesions, and of caps and rims, for every scan of SCANS, and cases.yaml:
lines for the `cases` of a recipe. A probability between 0.2 and 0.8 teaches nothing.

Only scans that may train shipped weights are labelled. Those of Ljubljana come from the scanner of
wmh/ljubljana: a run that reports on that set leaves them out (--without ljubljana).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from leuko.errors import LeukoError
from leuko.formats.read import read_scan
from leuko.formats.write import write
from leuko.training.distillation import Teachers
from leuko.training.pseudo_labels import label

SCANS = {
    "ljubljana-long-visit1": "wmh/ljubljana_long/patient01/visit1_flair.nii.gz",
    "ljubljana-long-visit2": "wmh/ljubljana_long/patient01/visit2_flair.nii.gz",
    "ljubljana-patient20": "wmh/unlabelled/ljubljana_patient20_visit2.nii.gz",
    "wholehead": "wmh/unlabelled/wholehead_1mm.nii.gz",
}
HEALTHY = ("contrasts/thick_flair_young/flair.nii.gz",)  # free of lesions
WEIGHT = 0.5  # of a case: guesses are shown less often than truth


def main(arguments: list[str]) -> int:
    """Label every scan that is not left out; write the lines of a recipe."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("weights", nargs="+", help="runs, or files of weights")
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--without", action="append", default=[], help="a word in a scan's path")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    lines = []
    try:
        teachers = Teachers.of(options.weights)
        for name, place in SCANS.items():
            if not any(word in place for word in options.without):
                lines += _labelled(name, place, teachers, data=options.data, out=options.out)
    except LeukoError as error:
        sys.stderr.write(f"{error.what}\n{error.hint}\n")
        return error.exit_code
    for place in HEALTHY:
        if not any(word in place for word in options.without):
            lines += [f"- flair: ${{DATA}}/{place}", f"  weight: {WEIGHT}"]
    (options.out / "cases.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


def _labelled(name: str, place: str, teachers: Teachers, *, data: Path, out: Path) -> list[str]:
    """Write the probabilities of a scan, tell the volume of lesions; its lines for a recipe."""
    scan = read_scan(data / place)
    lesions, caps = label(scan, teachers)
    lines = [f"- flair: ${{DATA}}/{place}", "  probable: true", f"  weight: {WEIGHT}"]
    for what, image in (("lesions", lesions), ("caps", caps)):
        path = out / f"{name}-{what}.nii.gz"
        write(image, path)
        lines.append(f"  {what}: {path.as_posix()}")
    values = np.asarray(lesions.data, dtype=np.float32)
    sure, open_ = (values > 0.8).sum(), ((values > 0.2) & (values <= 0.8)).sum()
    ml = lesions.grid.voxel_mm3 / 1000.0
    sys.stdout.write(f"{name}: {sure * ml:.1f} ml of lesion, {open_ * ml:.1f} ml left open\n")
    return lines


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
