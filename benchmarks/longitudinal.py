r"""How well change is found: a pair of real visits, and pairs of which every change is known.

    python benchmarks/longitudinal.py                     all of it
    python benchmarks/longitudinal.py --only real
    python benchmarks/longitudinal.py --only people
    python benchmarks/longitudinal.py --only known --pairs 1

Real: wmh/ljubljana_long/patient01, two visits with slices of 4 and 3 mm, against the manual mask of
changed lesions (Lesjak 2016). That mask has a space of its own: measured here, it is the space
half-way between the visits (the mean brightness gained in it is largest there).

Known: real scans get new lesions (balls of 2 to 5 mm radius), some of their own lesions are grown
by 2.5 mm, some are taken away (known_changes.py). The scan as it was and the changed one are each
scanned again (rescans.py: another position, voxels, gain, noise) and compared. A change is found
where a lesion of its class touches it; a call is false where no change is near.

People: how much of the brain of one person is found in that of another (five scans of tabriz, ten
pairs), which tells two visits of one person from scans of two.

Prints Markdown.
"""

from __future__ import annotations

import argparse
import itertools
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from known_changes import KnownChange, changed
from leuko.change.classes import ChangeClass
from leuko.change.compare import Comparison, compare_visits, lesions_at
from leuko.change.half_way import meet
from leuko.change.visit import Visit
from leuko.formats.read import read_mask, read_scan
from leuko.image.image import Image
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.longitudinal_change import visit_of
from leuko.pipelines.longitudinal_result import Followed
from leuko.pipelines.model import Model, load_model
from leuko.pipelines.segment import segment
from leuko.registration.apply import apply_to_image, apply_to_mask
from leuko.registration.transforms import Affine, compose
from rescans import Protocol, rescanned

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("LEUKO_TEST_DATA", HERE.parents[1] / "shared" / "data")) / "wmh"
CONFIG = SegmentConfig(probability=True, policy="lenient")
SCANS = ("ljubljana/07/flair", "unlabelled/wholehead_1mm")
PROTOCOLS = (
    (Protocol("1 mm", (1.0, 1.0, 1.0)),) * 2,
    (Protocol("3 mm slices", (0.9, 0.9, 3.0)),) * 2,
    (Protocol("4 mm slices", (0.9, 0.9, 4.0)), Protocol("3 mm slices", (0.9, 0.9, 3.0))),
)
GREW = (ChangeClass.NEW, ChangeClass.ENLARGING, ChangeClass.MERGED)
CALLED = {
    "new": GREW,
    "enlarging": GREW,
    "disappeared": (ChangeClass.DISAPPEARED, ChangeClass.SHRINKING, ChangeClass.SPLIT),
}
NEAR_VOXELS = 3  # of the half-way grid, 1 mm
Flags = npt.NDArray[np.bool_]


def main() -> None:
    """Score what is asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=["real", "known", "people"])
    parser.add_argument("--pairs", type=int, default=2)
    chosen = parser.parse_args()
    model = load_model(CONFIG)
    if chosen.only in (None, "real"):
        real(model)
    if chosen.only in (None, "known"):
        known(model, chosen.pairs)
    if chosen.only in (None, "people"):
        people(model)


def visit(image: Image, model: Model) -> Visit:
    """A scan, segmented."""
    return visit_of(Followed("visit", image, segment(image, config=CONFIG, model=model)))


def real(model: Model) -> None:
    """The two visits of ljubljana_long against the manual mask."""
    folder = SHARED / "ljubljana_long" / "patient01"
    visits = [visit(read_scan(folder / f"visit{n}_flair.nii.gz"), model) for n in (1, 2)]
    done = compare_visits(visits[0], visits[1])
    truth = read_mask(folder / "change.nii.gz")
    print("| where the manual mask may lie | brightness gained in it |\n|---|---|")
    space = done.space
    for name, to in (
        ("half-way", Affine.identity()),
        ("first visit", space.to_first),
        ("second visit", space.to_second),
    ):
        there = apply_to_mask(truth, transform=to, onto=done.pair.grid).data != 0
        print(f"| {name} | {done.pair.brighter[there].mean():.2f} |")
    manual = np.asarray(apply_to_mask(truth, transform=Affine.identity(), onto=done.pair.grid).data)
    print(f"\nmanual: {manual.sum() / 1000:.2f} ml changed")
    score_real(done, manual > 0)


def score_real(done: Comparison, manual: Flags) -> None:
    """Lesions of the manual mask that were called, and calls that the mask has."""
    first, second = lesions_at(done)
    differ = (first > 0) != (second > 0)
    called = [n for n, row in enumerate(done.rows, 1) if row.kind in GREW]
    ours = differ & np.isin(np.maximum(first, second), called)
    labels, count = ndimage.label(manual, np.ones((3, 3, 3)))
    print("| manual lesion mm3 | brightness gained | touched by a new or enlarging one | of it |")
    print("|---|---|---|---|")
    for number in range(1, count + 1):
        own = labels == number
        share = (own & ours).sum() / own.sum()
        gained = done.pair.brighter[own].mean()
        print(f"| {own.sum()} | {gained:.2f} | {'yes' if share else 'no'} | {share:.0%} |")
    near = ndimage.binary_dilation(manual, iterations=NEAR_VOXELS)
    for number in called:
        row = done.rows[number - 1]
        own = differ & ((first == number) | (second == number))
        print(
            f"called {row.kind}: {row.growth_mm3:.0f} mm3, "
            f"{'in' if (own & near).any() else 'NOT in'} the manual mask"
        )
    both = (ours & manual).sum()
    print(f"voxels: {both / max(1, manual.sum()):.0%} of the manual mask found,")
    print(f"{both / max(1, ours.sum()):.0%} of ours in it")


def known(model: Model, pairs: int) -> None:
    """Pairs of which every change is known."""
    tally: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    false: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for name in SCANS:
        image = read_scan(SHARED / f"{name}.nii.gz")
        found = segment(image, config=CONFIG, model=model)
        for protocols in PROTOCOLS:
            kind = " and ".join(dict.fromkeys(protocol.name for protocol in protocols))
            for number in range(pairs):
                rng = np.random.default_rng([number, *name.encode(), *kind.encode()])
                after, changes = changed(image, found, rng=rng)
                copies = [
                    rescanned(one, protocol=protocol, rng=rng)
                    for one, protocol in zip((image, after), protocols, strict=True)
                ]
                visits = [visit(copy.image, model) for copy in copies]
                done = compare_visits(visits[0], visits[1])
                to_source = compose(done.space.to_second, copies[1].to_source)
                assert isinstance(to_source, Affine)
                for label, hit in scored(done, image, changes, to_source):
                    tally[(kind, *label)][0] += hit
                    tally[(kind, *label)][1] += 1
                wrong, stable = called_falsely(done, image, changes, to_source)
                false[kind][0] += wrong
                false[kind][1] += stable
                false[kind][2] += 1
                print(f"<!-- {name} {kind} {number}: {wrong} false of {stable} -->", flush=True)
    print("| visits | change | size | found |\n|---|---|---|---|")
    for (kind, what, size), (hits, total) in sorted(tally.items()):
        print(f"| {kind} | {what} | {size} | {hits} of {total} |")
    print("\n| visits | pairs | unchanged lesions | called changed |\n|---|---|---|---|")
    for kind, (wrong, stable, count) in false.items():
        print(f"| {kind} | {count} | {stable} | {wrong} |")


def people(model: Model) -> None:
    """Share of blocks of one brain that are found in another."""
    scans = sorted((SHARED / "tabriz").glob("*/flair.nii.gz"))
    visits = [visit(read_scan(scan), model) for scan in scans]
    found = [
        meet(one, other).quality.agreement or 0.0
        for one, other in itertools.combinations(visits, 2)
    ]
    print(f"\n{len(found)} pairs of two people: agreement {min(found):.2f} to {max(found):.2f}")


def scored(
    done: Comparison, image: Image, changes: list[KnownChange], to_source: Affine
) -> Iterator[tuple[tuple[str, str], bool]]:
    """For each change its kind and size, and whether a lesion of its class touches it."""
    first, second = lesions_at(done)
    either = np.maximum(first, second)
    for change in changes:
        there = _placed(change.where, image, done, to_source)
        rows = np.unique(either[there & (either > 0)])
        hit = any(done.rows[n - 1].kind in CALLED[change.kind] for n in rows)
        yield (change.kind, _size(change)), hit


def called_falsely(
    done: Comparison, image: Image, changes: list[KnownChange], to_source: Affine
) -> tuple[int, int]:
    """Lesions that were called changed far from every change, and all lesions far from them."""
    near = np.zeros(done.pair.grid.shape, dtype=np.bool_)
    for change in changes:
        near |= _placed(change.where, image, done, to_source)
    near = ndimage.binary_dilation(near, iterations=NEAR_VOXELS)
    either = np.maximum(*lesions_at(done))
    touched = set(np.unique(either[near]).tolist())
    far: list[Any] = [row for n, row in enumerate(done.rows, 1) if n not in touched]
    return sum(row.kind is not ChangeClass.STABLE for row in far), len(far)


def _placed(where: Flags, image: Image, done: Comparison, to_source: Affine) -> Flags:
    """A place of the scan on the half-way grid, half a voxel counting."""
    share = image.with_data(where.astype(np.float32))
    found = apply_to_image(share, transform=to_source, onto=done.pair.grid).data
    return np.asarray(found.astype(np.float32) >= 0.5)


def _size(change: KnownChange) -> str:
    if change.mm3 < 50:
        return "below 50 mm3"
    return "50 to 150 mm3" if change.mm3 < 150 else "150 mm3 and more"


if __name__ == "__main__":
    main()
