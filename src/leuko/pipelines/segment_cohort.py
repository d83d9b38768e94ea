"""The main job on many scans: here, in processes of this machine, or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from msgspec import structs

from leuko.errors import UsageError
from leuko.pipelines.case import Case
from leuko.pipelines.cases import find_cases, opened
from leuko.pipelines.cohort import Outcome, cohort, require_cohort_folder
from leuko.pipelines.cohort_processes import InProcesses
from leuko.pipelines.cohort_table import Place
from leuko.pipelines.cohort_work import Work, here, kept
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import Model, checked, load_model
from leuko.pipelines.our_files import STATISTICS
from leuko.pipelines.segment import expected, segment_case
from leuko.pipelines.statistics import Statistics
from leuko.pipelines.with_template import atlases_for_all

__all__ = [
    "SegmentJob",
    "config_of",
    "segment_cohort",
    "segment_files",
    "weights_for_all",
    "work_for",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentJob:
    """`segment_case` of every case into OUT/<case>/; kept where it would only be repeated."""

    out: Path
    config: SegmentConfig
    series: str = ""
    t1_series: str = ""
    weights: Path | str | None = None
    force: bool = False

    def load(self, *, threads: int | None = None) -> Model:
        """The model of the config, from `weights`."""
        return load_model(self.config, weights=self.weights, threads=threads)

    def keep(self, case: Case, *, model: Model) -> Statistics | None:
        """The numbers of an equal run: same version, weights, parameters and content of inputs."""
        place = self.place(case)
        if not place.record.is_file() or self._has_newer_t1(case, place):
            return None
        wanted = expected(
            case,
            config=config_of(case, self.config),
            model=model,
            series=self.series,
            t1_series=self.t1_series,
        )
        return None if wanted is None else kept(place, wanted=wanted)

    def run(self, case: Case, *, model: Model) -> Statistics:
        """Segment the case; what `segment_case` raises."""
        return segment_case(
            case,
            out=self.out / case.name,
            config=config_of(case, self.config),
            series=self.series,
            t1_series=self.t1_series,
            t1=case.t1,
            model=model,
            force=self.force,
        )

    def place(self, case: Case) -> Place:
        """The folder of the case."""
        folder = self.out / case.name
        return Place(folder / STATISTICS, folder / "report.html", folder / "preview.png")

    def _has_newer_t1(self, case: Case, place: Place) -> bool:
        """The record holds the hash of a T1 only where the network saw it."""
        if case.t1 is None or not self.config.t1_space:
            return False
        return case.t1.stat().st_mtime > place.record.stat().st_mtime


def config_of(case: Case, config: SegmentConfig) -> SegmentConfig:
    """The config for a case: with the age and sex of its person, where these are known."""
    if case.age is None:
        return config
    return structs.replace(config, age=case.age, sex=case.sex or config.sex)


def segment_cohort(
    cases: Sequence[Case],
    *,
    out: Path,
    config: SegmentConfig | None = None,
    series: str = "",
    t1_series: str = "",
    model: Model | None = None,
    weights: Path | str | None = None,
    force: bool = False,
    jobs: int = 1,
    scheduler: str = "",
    watch: Callable[[Outcome], None] = lambda outcome: None,  # noqa: ARG005
) -> tuple[Outcome, ...]:
    """Segment every case into OUT/<case>/, with cohort.tsv and cohort.html; see `cohort.cohort`.

    `jobs` processes share the work, or the workers of the Dask cluster whose scheduler has the
    address `scheduler`; the results are the same, bit by bit. `model` saves loading it where one
    process does all. Cases whose folder holds the result of the same version, weights, parameters
    and input are kept. Raises WriteError (exit 6) where `out` holds something that is no cohort of
    ours; UsageError (exit 2) for `jobs` and `scheduler` together; MissingExtra (exit 9);
    what is wrong with an atlas, before any case.
    """
    chosen = atlases_for_all(checked(config or SegmentConfig()))
    require_cohort_folder(out, force=force)
    job = SegmentJob(
        out=out.absolute(),
        config=chosen,
        series=series,
        t1_series=t1_series,
        weights=weights_for_all(weights),
        force=force,
    )
    work = work_for(jobs=jobs, scheduler=scheduler, model=model)
    return cohort(cases, out=out, job=job, work=work, watch=watch)


def segment_files(
    inputs: Sequence[Path],
    *,
    out: Path,
    config: SegmentConfig | None = None,
    weights: Path | str | None = None,
    jobs: int = 1,
    watch: Callable[[Outcome], None] = lambda outcome: None,  # noqa: ARG005
) -> tuple[Outcome, ...]:
    """Segment files, folders, lists and BIDS data sets into OUT/<case>/, with table and page.

    What fails is an outcome with its reason. With `jobs` above 1 the calling script needs the
    usual `if __name__ == "__main__":`. Raises what `cases.find_cases` and `segment_cohort` raise.
    """
    with opened(inputs) as inside:
        return segment_cohort(
            find_cases(inside), out=out, config=config, weights=weights, jobs=jobs, watch=watch
        )


def weights_for_all(weights: Path | str | None) -> Path | str | None:
    """A folder of weights by its whole path, since workers have working folders of their own."""
    if weights is None or not Path(weights).is_dir():
        return weights
    return Path(weights).absolute()


def work_for(*, jobs: int, scheduler: str, model: Model | None = None) -> Work:
    """How cases are worked through: on a cluster, in processes, or here."""
    if scheduler:
        if jobs > 1:
            raise UsageError(
                "Either --jobs on this machine, or --scheduler for those of a cluster.",
                hint="Leave out one of them.",
            )
        from leuko.pipelines.cohort_cluster import OnCluster

        return OnCluster(scheduler)
    return InProcesses(jobs) if jobs > 1 else partial(here, model=model)
