"""Make the packaged sample from a label map: python recipes/sample.py LABELMAP [FOLDER]."""

from __future__ import annotations

import sys
from pathlib import Path

from leuko.formats.write import write
from leuko.synthesis.sample import synthetic_scan

SEED = 11
PACKAGED = Path(__file__).parents[1] / "src" / "leuko" / "models" / "sample"


def main(labelmap: str, folder: str = str(PACKAGED)) -> None:
    """Write flair.nii.gz and truth.nii.gz (1 lesion, 2 cap or rim) into `folder`."""
    scan = synthetic_scan(labelmap, seed=SEED)
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    write(scan.flair, out / "flair.nii.gz")
    write(scan.truth, out / "truth.nii.gz")


if __name__ == "__main__":
    main(*sys.argv[1:])
