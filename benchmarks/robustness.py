r"""What changes when the same head is scanned differently: masks against degradations.

    python benchmarks/robustness.py                                the packaged weights
    python benchmarks/robustness.py --weights runs/NAME/final.pt
    python benchmarks/robustness.py --weights runs/NAME/final.pt \
        --weights-of tabriz=runs/A/final.pt,ljubljana=runs/B/final.pt
    python benchmarks/robustness.py --quick                        a minute: two scans, few changes
    python benchmarks/robustness.py --scans ljubljana/26 --families slices,noise

`--weights-of` scores a group of scans with a run that did not train on them. degradations.py
lists what is done to the scans, degrade.py does it. Where the grid changes, the truth goes the
same way and a voxel that is at least half lesion counts. For every scan and definition: Dice
against the truth on the degraded grid (and, brought back, on the scan's own), its change, the
change of volume against what the undegraded mask shows in the same field of view, Dice between
the two masks, and what the quality gate finds beyond what it finds in the scan as it is.

Prints Markdown and writes benchmarks/out/robustness/NAME/: robustness.md, .json and .png.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
from scipy import ndimage

import degrade
from degradations import Degradation, Subject, copies, degradations
from leuko.findings import Finding, Severity
from leuko.formats.read import read_scan
from leuko.image.image import Image, from_canonical
from leuko.pipelines.mask import make_mask
from leuko.pipelines.model import Model, load_model, settings
from leuko.pipelines.observe import Observation, observe
from leuko.progress import Journal
from network_masks import NetworkMasks
from robustness_report import Copies, Row, brief, draw, tables
from scan_sets import SETS, Case

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("LEUKO_TEST_DATA", HERE.parents[1] / "shared" / "data"))
OUT = HERE / "out"
START = time.monotonic()
DEFINITIONS = ("vascular", "ms")
FEW = ("slices", "noise", "sudden motion", "rotation", "stored")


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan to degrade: its file, the sets with its truth, which families it goes through."""

    name: str
    flair: str
    sets: tuple[str, ...] = ()
    healthy: bool = False
    families: tuple[str, ...] = ()  # all, where empty

    @property
    def group(self) -> str:
        """Whose scan it is."""
        return self.name.split("/")[0]


RESOLUTION = ("slices", "slices with gaps", "pixels", "zero-filled")
SCANS = (
    Scan("tabriz/105074", "wmh/tabriz/105074/flair.nii.gz", ("tabriz-union", "tabriz-lesions")),
    Scan("tabriz/105755", "wmh/tabriz/105755/flair.nii.gz", ("tabriz-union", "tabriz-lesions")),
    Scan("ljubljana/26", "wmh/ljubljana/26/flair.nii.gz", ("ljubljana",)),
    Scan("ljubljana/19", "wmh/ljubljana/19/flair.nii.gz", ("ljubljana",), families=RESOLUTION),
    Scan("nichart/Subj4", "wmh/nichart/Subj4/flair.nii.gz", ("nichart",)),
    Scan("nichart/Subj2", "wmh/nichart/Subj2/flair.nii.gz", ("nichart",), families=RESOLUTION),
    Scan("healthy/sample1", "wmh/nichart/sample1/flair.nii.gz", healthy=True),
    Scan("healthy/young", "contrasts/thick_flair_young/flair.nii.gz", healthy=True),
)
QUICK = ("tabriz/105074", "nichart/Subj4")


@dataclass(slots=True)
class Network:
    """The weights for each group of scans; each is loaded when it is first asked for."""

    weights: Path | None
    others: Mapping[str, Path]
    store: Path
    used: dict[str, NetworkMasks] = field(default_factory=dict)
    _models: dict[str, Model] = field(default_factory=dict)

    def of(self, group: str) -> tuple[NetworkMasks, Model]:
        """The network for a group, and its model."""
        key = group if group in self.others else ""
        if key not in self.used:
            made = NetworkMasks.of(
                self.others.get(key, self.weights), name="", store=self.store, changes={}
            )
            self.used[key] = made
            self._models[key] = load_model(made.config, weights=made.weights)
        return self.used[key], self._models[key]


@dataclass(frozen=True, slots=True)
class Seen:
    """What comes out for a scan: a mask for each definition, and the codes of the findings."""

    masks: dict[str, Image]
    findings: frozenset[str]
    observation: Observation


def main(arguments: Sequence[str]) -> int:
    """Degrade, segment and compare what the command line asks for."""
    options = _parse(arguments)
    network = Network(options.weights, options.weights_of, options.out / "predictions")
    rows: list[Row] = []
    repeated: list[Copies] = []
    for scan in SCANS:
        if (options.scans and not {scan.name, scan.group} & {*options.scans}) or not (
            options.data / scan.flair
        ).is_file():
            continue
        for found in _run(scan, options, network):
            if isinstance(found, Row):
                rows.append(found)
            else:
                repeated.append(found)
    if not rows:
        print(f"None of these scans is in {options.data}.", file=sys.stderr)
        return 2
    name = options.name or network.of("")[0].name
    out = options.out / "robustness" / name
    out.mkdir(parents=True, exist_ok=True)
    command = " ".join(["python benchmarks/robustness.py", *sys.argv[1:]])
    text = f"# Robustness of {name}\n\n`{command}`\n\n{tables(rows, repeated)}"
    (out / "robustness.md").write_text(text, encoding="utf-8")
    record = {
        "command": command,
        "weights": {key or "all others": used.about() for key, used in network.used.items()},
        "rows": [asdict(row) for row in rows],
        "copies": [asdict(one) for one in repeated],
        "seconds": round(time.monotonic() - START),
    }
    (out / "robustness.json").write_text(
        json.dumps(record, indent=1, allow_nan=False, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    draw(rows, out / "robustness.png")
    print(text)
    _say(f"written to {out}")
    return 0


def _run(scan: Scan, options: argparse.Namespace, network: Network) -> Iterator[Row | Copies]:
    """Every degradation of a scan, then its copies."""
    used, model = network.of(scan.group)
    flair = degrade.canonical(read_scan(options.data / scan.flair))
    before = _segment(flair, used, model)
    truths = _truths(scan, options.data, flair)
    subject = Subject(flair, _brain(before.observation), stripped=scan.group == "ljubljana")
    for definition, mask in before.masks.items():
        yield Row(
            scan=scan.name, definition=definition, family="as it is", label="", strength=0.0,
            healthy=scan.healthy, dice=_dice(truths.get(definition), _filled(mask)),
            volume_ml=_millilitres(mask), found=sorted(before.findings),
        )  # fmt: skip
    for change in degradations(subject):
        wanted = options.families or scan.families
        if wanted and change.family not in wanted:
            continue
        after = _segment(change.scan(flair), used, model)
        for definition in DEFINITIONS:
            row = _row(scan, change, definition, before, after, truths.get(definition))
            _say(brief(row))
            yield row
        if options.keep:
            _keep(options.keep, scan, change, after)
    if not options.families and options.copies:
        yield from _copies(scan, subject, before, used, model, limit=3 if options.quick else 99)


def _row(
    scan: Scan, change: Degradation, definition: str, before: Seen, after: Seen,
    truth: npt.NDArray[np.bool_] | None,
) -> Row:  # fmt: skip
    """One degradation of one scan under one definition."""
    mask, whole = after.masks[definition], before.masks[definition]
    share = change.of_mask(whole)
    expected = np.asarray(share.data) >= 0.5
    ml = _millilitres(share)
    real = None
    back = None
    if truth is not None:
        real = np.asarray(change.of_mask(whole.with_data(truth.astype(np.float32))).data) >= 0.5
        if change.back:
            returned = degrade.on_grid(mask, whole.grid, order=1)
            back = _dice(truth, np.asarray(returned.data) >= 0.5)
    return Row(
        scan=scan.name,
        definition=definition,
        family=change.family,
        label=change.label,
        strength=change.strength,
        healthy=scan.healthy,
        dice=_dice(real, _filled(mask)),
        dice_before=_dice(truth, _filled(whole)),
        dice_back=back,
        volume_ml=_millilitres(mask),
        expected_ml=ml,
        volume_change=None if ml == 0 else 100 * (_millilitres(mask) / ml - 1),
        agreement=_dice(expected, _filled(mask)),
        found=sorted(after.findings - before.findings),
        same=bool(np.array_equal(expected, _filled(mask))) if change.exact else None,
    )


def _copies(
    scan: Scan, subject: Subject, before: Seen, used: NetworkMasks, model: Model, *, limit: int
) -> Iterator[Copies]:
    volumes = {definition: [_millilitres(mask)] for definition, mask in before.masks.items()}
    for change in list(copies(subject))[:limit]:
        again = _segment(change.scan(subject.flair), used, model)
        for definition, mask in again.masks.items():
            volumes[definition].append(_millilitres(mask))
    _say(f"{scan.name} copies")
    for definition, values in volumes.items():
        yield Copies(scan.name, definition, scan.healthy, values)


def _segment(image: Image, used: NetworkMasks, model: Model) -> Seen:
    """The masks of a scan as leuko makes them, on the image's own grid; nothing is refused."""
    seen = observe(image, config=used.config, model=model, journal=Journal())
    masks = {}
    for definition in DEFINITIONS:
        config = msgspec.structs.replace(used.config, definition=definition)
        made = make_mask(
            seen.prediction,
            data=seen.data,
            spacing=seen.grid.spacing,
            settings=settings(config, used.card),
        )
        values = np.ascontiguousarray(from_canonical(made.mask.astype(np.float32), image.grid))
        masks[definition] = Image(values, image.grid)
    return Seen(masks, frozenset(_codes(seen.findings)), seen)


def _codes(findings: Sequence[Finding]) -> Iterator[str]:
    """What is more than a note."""
    for finding in findings:
        if finding.severity is not Severity.NOTE:
            yield finding.code


def _truths(scan: Scan, data: Path, flair: Image) -> dict[str, npt.NDArray[np.bool_]]:
    """Truth by definition, canonical axes."""
    found = {}
    for key in scan.sets:
        entry = SETS[key]
        truth = entry.truth(Case(scan.name, data / scan.flair)) if entry.truth else None
        if truth is not None:
            found[entry.definition] = degrade.canonical(truth).data == 1
            if found[entry.definition].shape != flair.data.shape:
                raise SystemExit(f"The truth of {scan.name} is on another grid.")
    return found


def _brain(seen: Observation) -> npt.NDArray[np.bool_]:
    """The network's brain with the fluid in and around it, slice by slice without holes."""
    brain = ndimage.binary_closing(seen.prediction.anatomy > 0, iterations=2)
    for index in range(brain.shape[2]):
        brain[..., index] = ndimage.binary_fill_holes(brain[..., index])
    return np.asarray(brain)


def _filled(mask: Image) -> npt.NDArray[np.bool_]:
    return np.asarray(mask.data, dtype=bool)


def _dice(truth: npt.NDArray[np.bool_] | None, mask: npt.NDArray[np.bool_]) -> float | None:
    if truth is None:
        return None
    total = int(np.count_nonzero(truth)) + int(np.count_nonzero(mask))
    return 2 * int(np.count_nonzero(truth & mask)) / total if total else 1.0


def _millilitres(mask: Image) -> float:
    """The volume of a mask in ml; shares of voxels count as such."""
    return float(np.asarray(mask.data, dtype=np.float64).sum()) * mask.grid.voxel_mm3 / 1000


def _keep(folder: Path, scan: Scan, change: Degradation, after: Seen) -> None:
    """What the network saw, for looking at: canonical arrays."""
    name = f"{scan.name}_{change.family}_{change.label}".replace("/", "-").replace(" ", "_")
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(
        folder / f"{name}.npz",
        data=after.observation.data,
        affine=after.observation.grid.affine,
        vascular=_filled(after.masks["vascular"]),
        ms=_filled(after.masks["ms"]),
    )


def _say(text: str) -> None:
    print(f"{time.monotonic() - START:7.1f} s  {text}", file=sys.stderr, flush=True)


def _weights_of(text: str) -> dict[str, Path]:
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(name and equals and path for name, equals, path in pairs):
        raise argparse.ArgumentTypeError(f"{text!r} is not GROUP=FILE,...")
    return {name: Path(path) for name, _, path in pairs}


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", type=Path, help="final.pt of a run, or an exported model")
    parser.add_argument(
        "--weights-of", type=_weights_of, default={}, metavar="GROUP=FILE,..",
        help="other weights for tabriz, ljubljana, nichart or healthy",
    )  # fmt: skip
    names = ", ".join(scan.name for scan in SCANS)
    parser.add_argument("--scans", type=_names, default=(), help=f"names or groups of {names}")
    parser.add_argument("--families", type=_names, default=(), help="of degradations.py")
    parser.add_argument("--quick", action="store_true", help="two scans, few families")
    parser.add_argument("--no-copies", dest="copies", action="store_false")
    parser.add_argument("--keep", type=Path, help="folder for every degraded scan with its masks")
    parser.add_argument("--name", default="", help="what the network is called")
    parser.add_argument("--data", type=Path, default=SHARED, help="the data folder")
    parser.add_argument("--out", type=Path, default=OUT, help="default benchmarks/out")
    options = parser.parse_args(arguments)
    if options.quick:
        options.scans = options.scans or QUICK
        options.families = options.families or FEW
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
