r"""How much volumes and lesions differ between scans of one head in which nothing has changed.

    python benchmarks/repeatability_change.py             every scan, two pairs each
    python benchmarks/repeatability_change.py --pairs 1 --only thin

Real scans are scanned again in another position, on other voxels, with another gain and new noise
(rescans.py); two such copies are compared as `leuko longitudinal` compares visits. Thin: 1 to 2 mm.
Thick: the same heads with slices of 3 and 5 mm, of 0.9 mm pixels. Coarse: of 7 mm, and clinical
scans of 6 to 8 mm moved within their slices. No truth is needed: every change is an error.

Prints, for each class: the within-subject coefficient of variation of the total volume of scans
of 2 ml and more (the root of half the mean square of relative differences), the largest difference
of the others in ml, how well the brains were found in each other, the largest lesion change of a
pair, and of growth less regression of lesions the smallest limit a + b V that 99 of 100 stay below.
Writes
benchmarks/out/repeatability/rows.json.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from leuko.change.compare import compare_visits
from leuko.formats.read import read_scan
from leuko.image.image import Image
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.longitudinal_change import visit_of
from leuko.pipelines.longitudinal_result import Followed
from leuko.pipelines.model import Model, load_model
from leuko.pipelines.segment import segment
from rescans import Protocol, rescanned

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("LEUKO_TEST_DATA", HERE.parents[1] / "shared" / "data")) / "wmh"
OUT = HERE / "out" / "repeatability"
CONFIG = SegmentConfig(probability=True, policy="lenient")
WHOLE = (
    "ljubljana/19/flair",
    "ljubljana/26/flair",
    "ljubljana/07/flair",
    "unlabelled/wholehead_1mm",
)
TWO_MM = tuple(f"nichart/{name}/flair" for name in ("Subj1", "Subj18", "Subj2", "Subj4", "Subj9"))
CLINICAL = tuple(f"tabriz/{n}/flair" for n in (104252, 105074, 105465, 105755, 105911))
THIN = Protocol("1 mm", (1.0, 1.0, 1.0))
TWO = Protocol("2 mm", (2.0, 2.0, 2.0))
SLICES = tuple(Protocol(f"{t:g} mm slices", (0.9, 0.9, t)) for t in (3.0, 5.0))
COARSE = Protocol("7 mm slices", (0.9, 0.9, 7.0))
MOVED = Protocol("clinical, moved in the plane", None)
LEAST_ML = 2.0
CLASSES = ("thin", "thick", "coarse")
SHARES = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2)


def protocols() -> Iterator[tuple[str, str, Protocol]]:
    """Class of resolution, scan, protocol."""
    for name in WHOLE:
        yield ("thin", name, THIN)
        yield from [("thick", name, protocol) for protocol in SLICES]
        yield ("coarse", name, COARSE)
    yield from (("thin", name, TWO) for name in TWO_MM)
    yield from (("coarse", name, MOVED) for name in CLINICAL)


def main() -> None:
    """Scan every head again and compare."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=2, help="of copies for each scan and protocol")
    parser.add_argument("--only", choices=CLASSES)
    chosen = parser.parse_args()
    model = load_model(CONFIG)
    OUT.mkdir(parents=True, exist_ok=True)
    found: list[dict[str, Any]] = []
    for kind, name, protocol in protocols():
        if chosen.only not in (None, kind):
            continue
        image = read_scan(SHARED / f"{name}.nii.gz")
        for number in range(chosen.pairs):
            rng = np.random.default_rng([number, *protocol.name.encode(), *name.encode()])
            found.append(pair(image, protocol, rng, model) | {"class": kind, "scan": name})
            one = found[-1]
            print(
                f"| {kind} | {name} | {protocol.name} | {one['ml'][0]:.2f} | {one['ml'][1]:.2f} | "
                f"{one['agreement']} | {one['called']} | {time.process_time():.0f} s |",
                flush=True,
            )
            (OUT / "rows.json").write_text(json.dumps(found), encoding="utf-8")
    for kind in CLASSES:
        if any(one["class"] == kind for one in found):
            summary(kind, [one for one in found if one["class"] == kind])


def pair(
    image: Image, protocol: Protocol, rng: np.random.Generator, model: Model
) -> dict[str, Any]:
    """Two copies compared."""
    visits, volumes = [], []
    for name in ("baseline", "followup"):
        copy = rescanned(image, protocol=protocol, rng=rng).image
        result = segment(copy, config=CONFIG, model=model)
        visits.append(visit_of(Followed(name, copy, result)))
        volumes.append(result.burden.volume_ml)
    done = compare_visits(visits[0], visits[1])
    called = [row for row in done.rows if row.kind.value != "stable"]
    return {
        "protocol": protocol.name,
        "ml": volumes,
        "agreement": done.space.quality.agreement,
        "growth_ml": done.growth_ml,
        "regression_ml": done.regression_ml,
        "lesions": len(done.rows),
        "called": len(called),
        "rows": [
            [
                row.kind.value,
                row.first_mm3,
                row.second_mm3,
                row.growth_mm3,
                row.regression_mm3,
                row.brighter,
                len(row.first),
                len(row.second),
            ]
            for row in done.rows
        ],
    }


def summary(kind: str, found: list[dict[str, Any]]) -> None:
    """The numbers that stand in leuko.change.repeatability."""
    large = [one["ml"] for one in found if np.mean(one["ml"]) >= LEAST_ML]
    small = [one["ml"] for one in found if np.mean(one["ml"]) < LEAST_ML]
    relative = [100 * (b - a) / ((a + b) / 2) for a, b in large]
    deviation = np.sqrt(np.mean(np.square(relative)) / 2)
    print(f"\n{kind}: {len(found)} pairs, {len(large)} of {LEAST_ML:g} ml and more")
    print(f"within-subject coefficient of variation {deviation:.2f} %")
    print(f"largest difference of a pair {np.max(np.abs(relative)):.1f} %")
    print(f"of the smaller ones {max((abs(b - a) for a, b in small), default=0):.3f} ml")
    print(f"agreement of the brains, least {min(one['agreement'] or 1 for one in found):.2f}")
    rows = [row for one in found for row in one["rows"] if row[0] != "not_seen"]
    change = np.array([abs(row[3] - row[4]) for row in rows])
    volume = np.array([(row[1] + row[2]) / 2 for row in rows])
    counted = [abs(one["growth_ml"] - one["regression_ml"]) for one in found]
    whole = [abs(sum(r[3] - r[4] for r in one["rows"] if r[0] != "not_seen")) for one in found]
    shares = [one / 10 / np.mean(ml["ml"]) for one, ml in zip(whole, found, strict=True)]
    print(f"{len(rows)} lesions, {np.count_nonzero(change)} with any change")
    print(f"lesion change of a pair, largest {max(counted):.3f} ml")
    print(
        f"with what stays below the limits of its lesions {max(whole) / 1000:.3f} ml, "
        f"and {max(shares):.2f} % of the volume"
    )
    for share in SHARES:
        print(f"limit a + {share:g} V: a = {np.quantile(change - share * volume, 0.99):.1f} mm3")


if __name__ == "__main__":
    main()
