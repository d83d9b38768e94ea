"""What the bend of the template brings: do five heads agree better once they are bent?

    python benchmarks/bend.py

MUSE's structures of five aged heads (made on the T1s, which the registration never saw; kept by
benchmarks/lobes.py) are brought to the template by twelve numbers, and by these and the bend. The
mean Dice of every pair of heads says how well the same structures come to lie upon each other.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from landing import SHARED, tissues
from leuko.anatomy.template import load_template
from leuko.anatomy.template_bend import bend_template, labels_through
from leuko.anatomy.template_landing import place_on_template
from leuko.formats.read import read_scan
from leuko.image.grid import Grid
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import load_model
from leuko.registration.transforms import compose
from lobes import SUBJECTS, muse_on_flair

STRUCTURES: Mapping[str, tuple[int, ...]] = {
    "caudate nucleus": (36, 37),
    "putamen": (57, 58),
    "thalamus": (59, 60),
    "lateral ventricles": (51, 52),
    "hippocampus": (47, 48),
    "corpus callosum": (95,),
    "frontal white matter": (81, 82),
    "parietal white matter": (85, 86),
    "temporal white matter": (87, 88),
    "occipital white matter": (83, 84),
}


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=SHARED)
    data = parser.parse_args().data
    pairs = [in_mni(data, subject) for subject in SUBJECTS]
    print("| structure | twelve numbers | with the bend |\n|---|---|---|")
    means = []
    for name, values in STRUCTURES.items():
        cells = [agreement([pair[way] for pair in pairs], values) for way in (0, 1)]
        means.append(cells)
        print(f"| {name} | {cells[0]:.2f} | {cells[1]:.2f} |")
    one, other = np.mean(means, axis=0)
    print(f"| mean | {one:.2f} | {other:.2f} |")


def in_mni(data: Path, subject: str) -> list[npt.NDArray[np.integer]]:
    """MUSE's labels of one head on the template's grid, both ways."""
    flair = read_scan(data / "wmh" / "nichart" / subject / "flair.nii.gz")
    config = SegmentConfig(policy="lenient")
    _, anatomy, grid = tissues(flair, config=config, model=load_model(config))
    placement = place_on_template(anatomy, spacing=grid.spacing)
    assert placement is not None
    linear = placement.from_template
    bend = bend_template(anatomy, spacing=grid.spacing, linear=linear)
    template = load_template()
    return [
        labels_through(
            muse_on_flair(data, subject),
            grid=Grid.from_spacing(grid.shape, grid.spacing),
            transform=transform,
            onto=template.grid,
            where=template.tissues > 0,
        )
        for transform in (linear, compose(bend, linear))
    ]


def agreement(heads: list[npt.NDArray[np.integer]], values: tuple[int, ...]) -> float:
    """The mean Dice of a structure over all pairs of heads."""
    masks = [np.isin(head, values) for head in heads]
    found = [
        2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other))
        for one, other in itertools.combinations(masks, 2)
    ]
    return float(np.mean(found))


if __name__ == "__main__":
    main()
