"""The failure gallery of MODEL_CARD.md: the worst places by rule, never chosen by hand.

    python benchmarks/gallery.py --weights runs/WITHOUT-A --weights runs/WITHOUT-B
    python benchmarks/gallery.py --weights ... --write MODEL_CARD.md
    python benchmarks/gallery.py --write MODEL_CARD.md          the captions again, without scans

Three rules, a figure each: the largest mark that touches no true lesion, the largest true lesion
that no mark touches, and, of lesions found with at least 200 mm3, the outline that agrees least.
A row a set: only sets whose licence lets them be shown, and each with the first of the weights
whose training left it out. Pictures are written to docs/images/model; what was found into
gallery.yaml, where a person writes `why` (kept for as long as the same place is the worst).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import numpy.typing as npt
import yaml

from gallery_findings import RULES, Worst
from leuko.formats.read import read_scan
from leuko.image.image import Image
from marked_text import filled
from scan_sets import SETS, Case, ScanSet, find_cases

if TYPE_CHECKING:
    from gallery_pictures import View
    from network_masks import NetworkMasks

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("LEUKO_TEST_DATA", HERE.parents[1] / "shared" / "data"))
BEGIN = "<!-- gallery: made by python benchmarks/gallery.py --write MODEL_CARD.md -->"
END = "<!-- gallery: end -->"
# Sets whose licences allow their scans to be shown, and what has to be said of them.
SHOWN = {
    "tabriz-union": "Tabriz: MS3SEG, CC BY 4.0, as in Sim-Vent-WMH-Seg (M. Bashiri), MIT.",
    "ljubljana": "Ljubljana: Ž. Lesjak and others, Neuroinformatics 2018, CC BY.",
}
TITLES = {
    "false": "The largest false mark",
    "missed": "The largest lesion missed",
    "outline": "The outline that agrees least",
}
NAMES = {"tabriz-union": "Tabriz, vascular", "ljubljana": "Ljubljana, ms"}


class Shown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of a picture; volumes are those of the lesion concerned, mm3; slice from 1."""

    kind: str
    set: str
    case: str
    weights: str
    slice: int
    truth_mm3: int
    mask_mm3: int
    dice: float | None = None
    why: str = ""

    @property
    def place(self) -> tuple[object, ...]:
        """What makes it the same finding again."""
        return self.kind, self.set, self.case, self.slice


def main(arguments: Sequence[str]) -> int:
    """Find, draw and write as the command line asks."""
    options = _parse(arguments)
    shown = load(options.kept)
    if options.weights:
        shown = with_reasons(_made(options), before=shown)
        options.kept.write_text(_as_yaml(shown), encoding="utf-8")
    captions = text(shown, images=options.images.name)
    print(captions)
    if options.write is not None:
        page = options.write.read_text("utf-8")
        options.write.write_text(filled(page, captions, begin=BEGIN, end=END), encoding="utf-8")
    return 0


def load(kept: Path) -> list[Shown]:
    """What gallery.yaml holds; nothing where there is none."""
    if not kept.is_file():
        return []
    return msgspec.convert(yaml.safe_load(kept.read_text("utf-8")), list[Shown])


def with_reasons(shown: Iterable[Shown], *, before: Iterable[Shown]) -> list[Shown]:
    """The findings with what was written before of the same places."""
    written = {one.place: one.why for one in before}
    return [msgspec.structs.replace(one, why=written.get(one.place, "")) for one in shown]


def text(shown: Sequence[Shown], *, images: str = "model") -> str:
    """Pictures and captions, Markdown, the attribution under each."""
    parts = []
    for kind, title in TITLES.items():
        own = [one for one in shown if one.kind == kind]
        if not own:
            continue
        credit = " ".join(SHOWN[one.set] for one in own)
        parts += [
            f"![{title}: slice, crop, outlines](docs/images/{images}/{kind}.png)",
            f"**{title}.** " + " ".join(_caption(one) for one in own),
            f"*Scans and reference outlines: {credit}*",
        ]
    return "\n\n".join(parts) + "\n"


def _caption(one: Shown) -> str:
    if one.kind == "false":
        what = f"{one.mask_mm3} mm³ marked, none true"
    elif one.kind == "missed":
        what = f"{one.truth_mm3} mm³, none marked"
    else:
        what = f"{one.truth_mm3} mm³ true, {one.mask_mm3} mm³ marked, Dice {one.dice:.2f}"
    why = f" {one.why.strip().rstrip('.')}." if one.why.strip() else ""
    return f"{NAMES[one.set]}, case {one.case}, slice {one.slice} (`{one.weights}`): {what}.{why}"


@dataclass(frozen=True, slots=True)
class Place:
    """The worst of a case: masks in the FLAIR's axes."""

    case: str
    flair: Image
    truth: npt.NDArray[np.bool_]
    mask: npt.NDArray[np.bool_]
    worst: Worst


def _made(options: argparse.Namespace) -> list[Shown]:
    """The worst place of each kind and set; the pictures are drawn."""
    from gallery_pictures import draw, view_of
    from network_masks import NetworkMasks

    networks = [
        NetworkMasks.of(weights, name="", store=options.out / "predictions", changes={})
        for weights in options.weights
    ]
    found: list[Shown] = []
    rows: dict[str, list[tuple[str, View]]] = {kind: [] for kind in RULES}
    for key in SHOWN:
        cases = find_cases(options.data, SETS[key])
        network = unseen(networks, SETS[key], cases)
        for kind, place in _worst(network, SETS[key], cases).items():
            view = view_of(place.flair, place.truth, place.mask, place.worst.region)
            found.append(_shown(kind, key, place, weights=network.card.name, view=view))
            rows[kind].append((f"{NAMES[key]}, case {place.case}, slice {view.number + 1}", view))
    for kind, views in rows.items():
        draw(views, path=options.images / f"{kind}.png")
    return sorted(found, key=lambda one: list(RULES).index(one.kind))


def unseen(networks: Sequence[NetworkMasks], entry: ScanSet, cases: Sequence[Case]) -> NetworkMasks:
    """The first network that is known not to have seen a set; SystemExit without one.

    Of weights without the run that made them nobody knows what they saw.
    """
    for network in networks:
        if network.history and not network.seen(entry, cases):
            return network
    raise SystemExit(f"None of these runs left {entry.group} out of its training.")


def _worst(network: NetworkMasks, entry: ScanSet, cases: Sequence[Case]) -> dict[str, Place]:
    """The worst of a set by every rule."""
    found: dict[str, Place] = {}
    for case in cases:
        print(f"{entry.key} {case.name}", file=sys.stderr, flush=True)
        image = network.mask(entry, case, {})
        mask = image.data != 0
        truth = entry.truth(case).data == 1 if entry.truth else np.zeros_like(mask)
        voxel_mm3 = float(np.prod(image.grid.spacing))
        for kind, rule in RULES.items():
            worst = rule(truth, mask, voxel_mm3=voxel_mm3)
            if worst is None:
                continue
            if kind not in found or worst.badness > found[kind].worst.badness:
                found[kind] = Place(case.name, read_scan(case.flair), truth, mask, worst)
    return found


def _shown(kind: str, key: str, place: Place, *, weights: str, view: View) -> Shown:
    return Shown(
        kind=kind,
        set=key,
        case=place.case,
        weights=weights,
        slice=view.number + 1,
        truth_mm3=round(place.worst.truth_mm3),
        mask_mm3=round(place.worst.mask_mm3),
        dice=round(place.worst.dice, 2) if kind == "outline" else None,
    )


def _as_yaml(shown: Sequence[Shown]) -> str:
    head = (
        "# What benchmarks/gallery.py found; only `why` is written by hand, the rest by the "
        "command.\n"
    )
    return head + yaml.safe_dump(
        msgspec.to_builtins(list(shown)), sort_keys=False, allow_unicode=True, width=100
    )


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--weights", type=Path, action="append", default=[], help="a run; several: one for each set"
    )
    parser.add_argument("--write", type=Path, metavar="PAGE", help="Markdown page with the markers")
    parser.add_argument("--kept", type=Path, default=HERE / "gallery.yaml", help="what was found")
    parser.add_argument("--images", type=Path, default=HERE.parent / "docs" / "images" / "model")
    parser.add_argument("--data", type=Path, default=SHARED, help="the data folder")
    parser.add_argument("--out", type=Path, default=HERE / "out", help="default benchmarks/out")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
