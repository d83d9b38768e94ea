r"""How far volumes, lesions and probabilities can be trusted: fitted, tried on sets left out.

    python benchmarks/intervals.py --fit runs/A --fit runs/A-without-tabriz \
        --fit runs/A-without-ljubljana --write src/leuko/models/weights/default/card.json \
        --page docs/uncertainty.md --picture docs/images/uncertainty.png

Every set is seen by the first weights that were not trained on it, with the operating points and
views of the card. Fitted on all scans, and written into the card: how far volumes err
(`volume_errors`), what a lesion's highest probability says about its being real (`lesion_odds`)
and what a voxel's probability says (`voxel_odds`), the last two only where they are better than
none on sets left out. All that is told comes from fits without the set that is judged.

Takes a quarter of a minute beside the predictions, which are kept. Prints Markdown; `--page` puts
it between the marks of a page.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from interval_fits import (
    Held,
    bootstrapped,
    fit_errors,
    fit_lesions,
    fit_voxels,
    healthy_floor,
    held,
    left_out,
)
from interval_scans import Scan, unseen_scans
from interval_tables import LesionsTried, VoxelsTried, lesions_tried, tables, voxels_tried
from leuko.models.card import Card, VolumeErrors, card_to_json, parse_card
from leuko.models.store import load_card
from marked_text import filled
from scan_sets import find_sets

HERE = Path(__file__).resolve().parent
OUT = HERE / "out"
SHARED = Path(os.environ.get("LEUKO_TEST_DATA", HERE.parents[1] / "shared" / "data"))

SETS = "tabriz-union,tabriz-lesions,ljubljana,nichart,lesion-free"
BEGIN = "<!-- uncertainty: made by python benchmarks/intervals.py --page docs/uncertainty.md -->"
END = "<!-- uncertainty: end -->"


@dataclass(frozen=True, slots=True)
class Trial:
    """What fits on the other sets gave for every set."""

    volumes: list[Held]
    lesions: list[LesionsTried]
    voxels: list[VoxelsTried]


def main(arguments: Sequence[str]) -> int:
    """Fit, try, tell, write."""
    options = _parse(arguments)
    card = load_card() if options.write is None else parse_card(options.write.read_bytes())
    scans = []
    for scan in unseen_scans(
        options.fit, sets=find_sets(options.sets), data=options.data, store=OUT / "predictions",
        card=card,
    ):  # fmt: skip
        print(f"{scan.weights} {scan.key} {scan.case}", file=sys.stderr, flush=True)
        scans.append(scan)
    if len({scan.group for scan in scans}) < 3:
        print("Fewer than three sets that these weights have not seen.", file=sys.stderr)
        return 2
    floor_ml = healthy_floor(scans)
    trial = tried(scans, floor_ml=floor_ml)
    errors = measured(scans, trial, floor_ml=floor_ml)
    text = tables(
        trial.volumes, trial.lesions, trial.voxels,
        errors=errors, bootstrap=bootstrapped(scans, floor_ml=floor_ml),
    )  # fmt: skip
    print(text)
    if options.write is not None:
        options.write.write_bytes(card_to_json(fitted(card, scans, errors=errors, trial=trial)))
    if options.page is not None:
        page = options.page.read_text("utf-8")
        options.page.write_text(filled(page, text, begin=BEGIN, end=END), encoding="utf-8")
    if options.picture is not None:
        from interval_pictures import draw

        draw(trial.volumes, trial.lesions, trial.voxels, path=options.picture)
    return 0


def tried(scans: Sequence[Scan], *, floor_ml: float) -> Trial:
    """Every set by what was fitted on the others; the floor alone is that of all."""

    def errors_of(others: Sequence[Scan]) -> VolumeErrors:
        return fit_errors(others, floor_ml=floor_ml)

    return Trial(
        volumes=left_out(scans, errors_of, held),
        lesions=left_out(scans, fit_lesions, lesions_tried),
        voxels=left_out(scans, fit_voxels, voxels_tried),
    )


def measured(scans: Sequence[Scan], trial: Trial, *, floor_ml: float) -> VolumeErrors:
    """The errors of all scans, with what intervals held on sets left out."""
    inside = sum(one.inside for one in trial.volumes)
    return msgspec.structs.replace(fit_errors(scans, floor_ml=floor_ml), held=inside)


def fitted(card: Card, scans: Sequence[Scan], *, errors: VolumeErrors, trial: Trial) -> Card:
    """The card with what was fitted on all scans; None for what is no better than nothing."""

    def better(rows: Sequence[LesionsTried] | Sequence[VoxelsTried]) -> bool:
        return bool(np.mean([r.brier for r in rows]) < np.mean([r.brier_before for r in rows]))

    return msgspec.structs.replace(
        card,
        volume_errors=errors,
        lesion_odds=fit_lesions(scans) if better(trial.lesions) else None,
        voxel_odds=fit_voxels(scans) if better(trial.voxels) else None,
    )


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--fit", type=Path, action="append", required=True, metavar="WEIGHTS",
        help="a run or checkpoint; give the one on all scans first",
    )  # fmt: skip
    parser.add_argument("--write", type=Path, metavar="CARD", help="the card.json to write into")
    parser.add_argument("--page", type=Path, help="the page to write the tables into")
    parser.add_argument("--picture", type=Path, help="the PNG to draw")
    parser.add_argument("--sets", default=SETS)
    parser.add_argument("--data", type=Path, default=SHARED, help="the data folder")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
