"""Registration on real scans: error, capture range, speed, and whether failure is noticed.

    python benchmarks/registration.py                 everything
    python benchmarks/registration.py known           known transforms: error in mm, seconds
    python benchmarks/registration.py capture         the same, far away: how often it is found
    python benchmarks/registration.py pairs           one person, two people, something else
    python benchmarks/registration.py off             agreement of right results moved a few mm
    python benchmarks/registration.py speed           a 1 mm pair; SimpleITK beside
    python benchmarks/registration.py sheet           checkerboards of T1 and FLAIR on one page

Needs the real scans (LEUKO_TEST_DATA, or ../shared/data). Prints Markdown tables; `sheet` writes
benchmarks/out/registration.png.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813
from PIL import Image as Pictures

from leuko.errors import UnusableInput
from leuko.formats.read import read
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.registration.apply import apply_to_image
from leuko.registration.linear import STEPS_MM
from leuko.registration.pyramid import prepare
from leuko.registration.quality import measure_quality
from leuko.registration.register import Settings, register_images
from leuko.registration.transforms import Affine, Points, compose
from leuko.registration.verdict import DOUBTFUL, FAILED
from leuko.report.checkerboard import checkerboard

HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("LEUKO_TEST_DATA", HERE.parents[1] / "shared" / "data"))
OUT = HERE / "out"

TABRIZ = ("104252", "105074", "105465", "105755", "105911")
NICHART = ("Subj1", "Subj18", "Subj2", "Subj4", "Subj9")
LONG = "wmh/ljubljana_long/patient01"
KNOWN = (  # fixed, moving: the second is what is moved away
    ("1 mm, FLAIR", "wmh/ljubljana/19/flair", "wmh/ljubljana/19/flair"),
    ("1 mm, FLAIR and T1", "wmh/ljubljana/19/flair", "wmh/ljubljana/19/t1"),
    ("1 mm, whole head", "wmh/unlabelled/wholehead_1mm", "wmh/unlabelled/wholehead_1mm"),
    ("2 mm, FLAIR and T1", "wmh/nichart/Subj1/flair", "wmh/nichart/Subj1/t1"),
    ("4 mm slices, FLAIR", f"{LONG}/visit1_flair", f"{LONG}/visit1_flair"),
    ("4 and 3 mm slices, two visits", f"{LONG}/visit1_flair", f"{LONG}/visit2_flair"),
    ("6.5 mm slices, FLAIR", "wmh/tabriz/104252/flair", "wmh/tabriz/104252/flair"),
    ("6.5 mm slices, FLAIR and T1", "wmh/tabriz/104252/flair", "wmh/tabriz/104252/t1"),
)


def main(arguments: Sequence[str]) -> int:
    """Run what the command line names."""
    parts = {
        "known": known,
        "capture": capture,
        "pairs": pairs,
        "off": off,
        "speed": speed,
        "sheet": sheet,
    }
    for name in arguments or parts:
        parts[name]()
    return 0


# ---------------------------------------------------------------- known transforms


def known() -> None:
    """Rotations up to 30 degrees about each axis, shifts up to 40 mm, cut, shaded, noisy."""
    print("\n## Known transforms\n")
    print("| scans | cases | mean error mm | worst case mm | flagged | seconds |")
    print("|---|---|---|---|---|---|")
    for title, fixed, moving in KNOWN:
        errors, flags, seconds = [], 0, []
        for error, took, codes in _trials(fixed, moving, count=8, degrees=30, shift=40):
            errors.append(error)
            seconds.append(took)
            flags += bool(codes)
        print(
            f"| {title} | {len(errors)} | {np.mean(errors):.2f} | {np.max(errors):.2f} "
            f"| {flags} | {np.median(seconds):.2f} |",
            flush=True,
        )


def capture() -> None:
    """How far away a scan may begin: found within 2 mm, and failures that were not flagged."""
    print("\n## Capture range\n")
    print("| scans | up to degrees an axis | up to mm an axis | found | lost, not flagged |")
    print("|---|---|---|---|---|")
    for title, fixed, moving in (KNOWN[1], KNOWN[3], KNOWN[7]):
        for degrees, shift in ((20, 20), (30, 40), (45, 60), (60, 80), (90, 100)):
            tried = list(_trials(fixed, moving, count=10, degrees=degrees, shift=shift))
            found = sum(error < 2 for error, _, _ in tried)
            silent = sum(error >= 2 and not codes for error, _, codes in tried)
            print(
                f"| {title} | {degrees} | {shift} | {found} of {len(tried)} | {silent} |",
                flush=True,
            )


def _trials(
    fixed: str, moving: str, *, count: int, degrees: float, shift: float
) -> Iterator[tuple[float, float, list[str]]]:
    """Error in mm (mean over the brain), seconds and findings, a random transform each."""
    rng = np.random.default_rng(7)
    one, other = _read(fixed), _read(moving)
    brain = _brain(one)
    # Where two scans are not the same one, their own registration is the zero.
    zero = Affine.identity() if fixed == moving else register_images(one, other).transform
    for _ in range(count):
        away = Affine.rigid(
            degrees=rng.uniform(-degrees, degrees, 3),
            shift=rng.uniform(-shift, shift, 3),
            centre=brain.mean(axis=0),
        )
        moved = _spoiled(other, away, rng)
        begin = time.perf_counter()
        try:
            fit = register_images(one, moved)
        except UnusableInput:
            yield np.inf, time.perf_counter() - begin, ["refused"]
            continue
        took = time.perf_counter() - begin
        truth = compose(zero, away).apply_to_points(brain)
        error = float(np.linalg.norm(fit.transform.apply_to_points(brain) - truth, axis=1).mean())
        codes = [f.code for f in fit.findings if f.code.startswith("registration.")]
        yield error, took, codes


def _spoiled(scan: Image, away: Affine, rng: np.random.Generator) -> Image:
    """The scan moved away, up to an eighth of its field of view cut, shaded and noisy."""
    moved = apply_to_image(scan, transform=away.inverse(), onto=scan.grid, kernel="cubic")
    data = np.array(moved.data, dtype=np.float32)
    slope = rng.uniform(-0.25, 0.25, 3)
    for axis, amount in enumerate(slope):
        ramp = 1 + amount * np.linspace(-1, 1, data.shape[axis], dtype=np.float32)
        data *= np.expand_dims(ramp, [a for a in range(3) if a != axis])
    data += rng.normal(0, 0.03 * np.percentile(data, 99), data.shape).astype(np.float32)
    cut = rng.integers(0, np.maximum(1, np.array(data.shape) // 8))
    affine = scan.grid.affine.copy()
    affine[:3, 3] = scan.grid.to_world(cut)
    data = np.ascontiguousarray(data[cut[0] :, cut[1] :, cut[2] :])
    return Image(data, Grid(data.shape, affine))


# ---------------------------------------------------------------- pairs


@dataclass(frozen=True)
class Pair:
    """Two scans, of whom, and whether the thresholds were set on them."""

    kind: str
    fixed: str
    moving: str
    seen: bool = False


def _pairs() -> list[Pair]:
    def scans(site: str, cases: Sequence[str], *, seen: bool) -> list[Pair]:
        folder = f"wmh/{site}"
        own = [Pair("same", f"{folder}/{c}/flair", f"{folder}/{c}/t1", seen) for c in cases]
        turned = [*cases[1:], cases[0]]
        two = [
            Pair("other", f"{folder}/{c}/flair", f"{folder}/{d}/t1", seen)
            for c, d in zip(cases, turned, strict=True)
        ]
        return own + two

    return [
        *scans("tabriz", TABRIZ, seen=True),
        *scans("nichart", NICHART, seen=False),
        Pair("same", "wmh/ljubljana/19/flair", "wmh/ljubljana/19/t1"),
        Pair("same", f"{LONG}/visit1_flair", f"{LONG}/visit2_flair"),
        Pair("same", f"{LONG}/visit2_flair", f"{LONG}/visit1_flair"),
        Pair("other", "wmh/ljubljana/07/flair", "wmh/ljubljana/19/t1"),
        Pair("other", "wmh/ljubljana/26/flair", "wmh/ljubljana/19/t1"),
        Pair("other", "wmh/ljubljana/26/flair", "wmh/ljubljana/07/flair"),
        Pair("other", f"{LONG}/visit1_flair", "wmh/unlabelled/ljubljana_patient20_visit2"),
        Pair("other", "wmh/unlabelled/wholehead_1mm", "contrasts/t1_head"),
        Pair("other", "wmh/nichart/sample1/flair", "contrasts/thick_flair_young/flair"),
        Pair("wrong", "contrasts/t1_head", "contrasts/dwi", seen=True),
        Pair("wrong", "contrasts/t1_head", "contrasts/mra"),
        Pair("wrong", "contrasts/t1_head", "tasks/ct/torso_ct"),
        Pair("wrong", f"{LONG}/visit1_flair", "tasks/ct/torso_ct"),
        Pair("wrong", "wmh/ljubljana/19/flair", "contrasts/mra"),
    ]


def pairs() -> None:
    """What the quality says of scans of one person, of two, and of something else."""
    print("\n## One person, two people, something else (rigid)\n")
    print("| | fixed | moving | agreement | offset mm | overlap | there and back mm | says |")
    print("|---|---|---|---|---|---|---|---|")
    found: dict[tuple[str, bool], list[float]] = {}
    for pair in _pairs():
        fit = register_images(_read(pair.fixed), _read(pair.moving))
        quality = fit.quality
        says = [f.code.partition(".")[2] for f in fit.findings if "registration." in f.code]
        if quality.agreement is not None:
            found.setdefault((pair.kind, pair.seen), []).append(quality.agreement)
        print(
            f"| {pair.kind} | {_short(pair.fixed)} | {_short(pair.moving)} "
            f"| {_percent(quality.agreement)} | {quality.offset_mm or 0:.1f} "
            f"| {quality.overlap:.0%} | {quality.inconsistency_mm:.1f} | {', '.join(says)} |",
            flush=True,
        )
    print(f"\nThresholds on agreement: failed below {FAILED:.0%}, doubtful below {DOUBTFUL:.0%}.\n")
    print("| agreement | lowest | highest | pairs |")
    print("|---|---|---|---|")
    for (kind, seen), values in sorted(found.items(), reverse=True):
        where = "where the thresholds were set" if seen else "elsewhere"
        print(f"| {kind}, {where} | {min(values):.0%} | {max(values):.0%} | {len(values)} |")


def off() -> None:
    """How agreement falls when a right registration is moved: what the thresholds mean in mm."""
    print("\n## Right results moved away\n")
    lengths = (0.0, 2.0, 3.0, 4.0, 5.0, 8.0)
    print("| scans of one person | " + " | ".join(f"{length:g} mm" for length in lengths) + " |")
    print("|---|" + "---|" * len(lengths))
    rng = np.random.default_rng(5)
    for pair in (p for p in _pairs() if p.kind == "same"):
        one, other = _read(pair.fixed), _read(pair.moving)
        right = register_images(one, other).transform
        levels = [prepare(scan, steps_mm=STEPS_MM).levels[-1] for scan in (one, other)]
        cells = []
        for length in lengths:
            found = []
            for _ in range(4):
                way = rng.normal(size=3)
                shift = Affine.translation(length * way / np.linalg.norm(way))
                moved = compose(shift, right)
                found.append(measure_quality(*levels, transform=moved).agreement or 0.0)
            cells.append(f"{np.mean(found):.0%}")
        print(f"| {_short(pair.fixed)} | " + " | ".join(cells) + " |", flush=True)


# ---------------------------------------------------------------- speed


def speed() -> None:
    """Seconds of each part for 182x218x182 at 1 mm, and of SimpleITK's own rigid registration."""
    print("\n## Speed, 182x218x182 at 1 mm, rigid\n")
    fixed, moving = DATA / "wmh/ljubljana/19/flair.nii.gz", DATA / "wmh/ljubljana/19/t1.nii.gz"
    with tempfile.TemporaryDirectory() as folder:
        walls = []
        for number in range(3):
            begin = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "leuko", "register", fixed, moving, "-o",
                 f"{folder}/{number}", "-q"],
                check=True,
            )  # fmt: skip
            walls.append(time.perf_counter() - begin)
        same = all(
            (Path(folder) / "0" / name).read_bytes() == (Path(folder) / "1" / name).read_bytes()
            for name in ("moved.nii.gz", "transform.json", "checkerboard.png")
        )
    print(f"- the whole command, reading and writing included: {min(walls):.2f} s")
    print(f"- two runs give the same bytes: {same}")
    one, other = _read("wmh/ljubljana/19/flair"), _read("wmh/ljubljana/19/t1")
    for name, work in (
        ("coarser levels of both", lambda: [prepare(s, steps_mm=STEPS_MM) for s in (one, other)]),
        ("registration there and back, with its check", lambda: register_images(one, other)),
        ("affine", lambda: register_images(one, other, settings=Settings("affine"))),
        ("B-spline", lambda: register_images(one, other, settings=Settings("bspline"))),
        ("demons", lambda: register_images(one, other, settings=Settings("demons"))),
    ):
        begin = time.perf_counter()
        work()
        print(f"- {name}: {time.perf_counter() - begin:.2f} s", flush=True)
    results = [_by_simpleitk(fixed, moving) for _ in range(2)]
    print(f"- SimpleITK, Mattes on 5 % of the voxels, levels 8, 4, 2: {results[0][0]:.2f} s; "
          f"two runs give the same numbers: {results[0][1] == results[1][1]}")  # fmt: skip


def _by_simpleitk(fixed: Path, moving: Path) -> tuple[float, tuple[float, ...]]:
    one, other = (sitk.ReadImage(str(path), sitk.sitkFloat32) for path in (fixed, moving))
    begin = time.perf_counter()
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(32)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(0.05, 1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(2.0, 1e-3, 100)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([8, 4, 2])
    method.SetSmoothingSigmasPerLevel([4, 2, 1])
    start = sitk.CenteredTransformInitializer(one, other, sitk.Euler3DTransform())
    method.SetInitialTransform(start)
    found = method.Execute(one, other)
    return time.perf_counter() - begin, tuple(found.GetParameters())


# ---------------------------------------------------------------- pictures


def sheet() -> None:
    """One picture with a checkerboard for every T1 and FLAIR, and for the two visits."""
    own = [pair for pair in _pairs() if pair.kind == "same"]
    tiles = []
    for pair in own:
        one, other = _read(pair.fixed), _read(pair.moving)
        fit = register_images(one, other)
        before = apply_to_image(other, transform=Affine.identity(), onto=one.grid)
        after = apply_to_image(other, transform=fit.transform, onto=one.grid)
        tiles.append(Pictures.open(io.BytesIO(checkerboard(one, before, after))).reduce(2))
    columns = 4
    width, height = max(t.width for t in tiles), max(t.height for t in tiles)
    rows = -(-len(tiles) // columns)
    page = Pictures.new("RGB", (columns * width, rows * height))
    for number, tile in enumerate(tiles):
        page.paste(tile, (number % columns * width, number // columns * height))
    OUT.mkdir(exist_ok=True)
    page.save(OUT / "registration.png")
    print(f"\nwritten: {OUT / 'registration.png'}")


# ---------------------------------------------------------------- pieces


def _read(name: str) -> Image:
    return read(DATA / f"{name}.nii.gz")


def _brain(scan: Image) -> Points:
    """Points all over the head."""
    level = prepare(scan, steps_mm=STEPS_MM).levels[1]
    return level.grid.to_world(np.argwhere(level.values > 0.15)[::10])


def _short(name: str) -> str:
    return name.removeprefix("wmh/").removeprefix("contrasts/").replace("ljubljana_long", "long")


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
