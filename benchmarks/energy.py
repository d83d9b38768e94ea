"""Time and energy of trainings: minutes measured, energy and CO2 estimated from them.

    python benchmarks/energy.py runs/A runs/B                          print the table
    python benchmarks/energy.py runs/A runs/B --write MODEL_CARD.md    and write it into the card
    python benchmarks/energy.py --write MODEL_CARD.md                  again, from energy.json

Each stage of a run, and of what it started from, is a row; a stage that two runs share counts once.
Minutes and slices are read from the runs. Energy is not measured: it is time x cores x
`--watts-per-core` (processor, memory and what the power supply loses, cores taken as busy all the
time) plus `--accelerator-watts`; CO2 is energy x `--kg-per-kwh`. Where several trainings share the
cores, each is charged for all of them: an upper bound. `--write` keeps what was read, and the
assumptions, in energy.json.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from marked_text import filled
from score_tables import markdown

HERE = Path(__file__).resolve().parent
BEGIN = "<!-- energy: made by python benchmarks/energy.py RUN... --write MODEL_CARD.md -->"
END = "<!-- energy: end -->"
CORES = 2
WATTS_PER_CORE = 10.0
KG_PER_KWH = 0.48  # near the world's mean for electricity in 2023 (Ember)


class Passed(msgspec.Struct, frozen=True):
    """A stage of a training; minutes None where they are not known."""

    name: str
    seed: int
    step: int
    slices: int
    minutes: float | None


class Assumed(msgspec.Struct, frozen=True):
    """What energy is estimated from."""

    processor: str
    cores: int = CORES
    watts_per_core: float = WATTS_PER_CORE
    accelerator_watts: float = 0.0
    kg_per_kwh: float = KG_PER_KWH

    def kwh(self, minutes: float) -> float:
        """Energy of so many minutes."""
        watts = self.cores * self.watts_per_core + self.accelerator_watts
        return minutes / 60 * watts / 1000


class Training(msgspec.Struct, frozen=True):
    """Stages in the order read, each once."""

    assumed: Assumed
    stages: tuple[Passed, ...]


def main(arguments: Sequence[str]) -> int:
    """Print and write as the command line asks."""
    options = _parse(arguments)
    if options.runs:
        assumed = Assumed(
            processor=options.processor,
            cores=options.cores,
            watts_per_core=options.watts_per_core,
            accelerator_watts=options.accelerator_watts,
            kg_per_kwh=options.kg_per_kwh,
        )
        training = Training(assumed, once(read(options.runs)))
    else:
        training = msgspec.json.decode(options.kept.read_bytes(), type=Training)
    table = text(training)
    print(table)
    if options.write is not None:
        if options.runs:
            content = msgspec.json.format(msgspec.json.encode(training), indent=1)
            options.kept.write_bytes(content + b"\n")
        page = options.write.read_text("utf-8")
        options.write.write_text(filled(page, table, begin=BEGIN, end=END), encoding="utf-8")
    return 0


def read(runs: Iterable[Path]) -> list[Passed]:
    """The stages of runs, those that they started from included."""
    from training_runs import stages, weights_in

    found = []
    for run in runs:
        if not weights_in(run).is_file():
            raise SystemExit(f"{run.name} has no weights.")
        found += [
            Passed(
                one.name,
                one.seed,
                one.step,
                one.slices,
                None if one.minutes is None else round(one.minutes, 2),
            )
            for one in stages(run)
        ]
    return found


def once(stages: Iterable[Passed]) -> tuple[Passed, ...]:
    """The stages in order, each only the first time, with its minutes where any run knows them."""
    known: dict[tuple[str, int, int], Passed] = {}
    for one in stages:
        before = known.setdefault((one.name, one.seed, one.step), one)
        if before.minutes is None:
            known[one.name, one.seed, one.step] = one
    return tuple(known.values())


def text(training: Training) -> str:
    """The table and the assumptions below it, Markdown."""
    assumed = training.assumed
    rows = [
        _row(one.name, one.slices, one.minutes, assumed, seed=str(one.seed))
        for one in training.stages
    ]
    known = [one.minutes for one in training.stages if one.minutes is not None]
    rows.append(
        _row("**together**", sum(one.slices for one in training.stages), sum(known), assumed)
    )
    table = markdown(("training", "seed", "slices", "minutes", "kWh", "CO2, g"), rows)
    beside = (
        f" and {assumed.accelerator_watts:g} W of an accelerator"
        if assumed.accelerator_watts
        else ""
    )
    return (
        f"{table}\nOn {assumed.cores} cores of an {assumed.processor}. Minutes are measured, "
        f"energy is not: {assumed.watts_per_core:g} W a core{beside} are assumed, all of them "
        f"busy, and {assumed.kg_per_kwh:g} kg of CO2 a kWh. Trainings that were tried and dropped "
        "are not counted.\n"
    )


def _row(
    name: str, slices: int, minutes: float | None, assumed: Assumed, *, seed: str = ""
) -> tuple[str, ...]:
    if minutes is None:
        return (name, seed, f"{slices / 1000:.0f}k", "n/a", "n/a", "n/a")
    kwh = assumed.kwh(minutes)
    return (
        name,
        seed,
        f"{slices / 1000:.0f}k",
        f"{minutes:.0f}",
        f"{kwh:.3f}",
        f"{1000 * kwh * assumed.kg_per_kwh:.0f}",
    )


def _processor() -> str:
    """The processor's name where Linux tells it, else the kind of machine."""
    table = Path("/proc/cpuinfo")
    if table.is_file():
        for line in table.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.machine()


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", type=Path, nargs="*", metavar="RUN")
    parser.add_argument("--cores", type=int, default=CORES)
    parser.add_argument("--watts-per-core", type=float, default=WATTS_PER_CORE)
    parser.add_argument("--accelerator-watts", type=float, default=0.0)
    parser.add_argument("--kg-per-kwh", type=float, default=KG_PER_KWH)
    parser.add_argument("--processor", default=_processor(), help="its name")
    parser.add_argument("--kept", type=Path, default=HERE / "energy.json", help="what was read")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="Markdown page with the markers")
    options = parser.parse_args(arguments)
    if not options.runs and not options.kept.is_file():
        parser.error("name the runs: nothing was kept")
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
