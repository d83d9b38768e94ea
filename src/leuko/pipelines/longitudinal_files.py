"""`leuko longitudinal`: the scans of two or more visits to a folder of results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from pathlib import Path

from leuko.errors import SafetyRefusal, UsageError
from leuko.findings import Finding, Policy, Severity
from leuko.formats.write import write
from leuko.pipelines.case import Case
from leuko.pipelines.cases import find_cases, opened
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.from_scanner import Taken, likeness, take
from leuko.pipelines.longitudinal import (
    checked_days,
    follow,
    naming,
    visit_names,
    with_probability,
)
from leuko.pipelines.longitudinal_kept import kept_visit
from leuko.pipelines.longitudinal_result import Change, Followed, Longitudinal
from leuko.pipelines.longitudinal_shown import shown_values
from leuko.pipelines.longitudinal_statistics import (
    ChangeStatistics,
    change_statistics,
    encode_change,
)
from leuko.pipelines.longitudinal_table import changes_tsv
from leuko.pipelines.model import Model, checked, load_model
from leuko.pipelines.our_files import BETWEEN, STATISTICS
from leuko.pipelines.outputs import out_folder, writing
from leuko.pipelines.provenance import now
from leuko.pipelines.result import Result
from leuko.pipelines.segment import segment_case
from leuko.progress import Journal, Watcher, silent
from leuko.registration.transform_files import save_transform

__all__ = ["CHANGE_MAP", "dated", "longitudinal_files", "one_patient"]

CHANGE_MAP = "change.nii.gz"
DICOM_DAY = "%Y%m%d"


def longitudinal_files(
    paths: Sequence[Path],
    *,
    out: Path,
    config: SegmentConfig | None = None,
    days: Sequence[date | None] = (),
    series: str = "",
    t1: Sequence[Path] = (),
    model: Model | None = None,
    weights: Path | str | None = None,
    force: bool = False,
    watch: Watcher = silent,
) -> ChangeStatistics:
    """Segment each visit and compare them, into the folder `out`, whole or not at all.

    `paths` are the scans from the first visit to the last, each as `segment_file` takes one.
    Without `days` those of DICOM studies are used. `t1` holds one file a visit, or none. A visit
    that `out` holds already, of the same version, weights, parameters and content of inputs, is
    used again. Raises what `segment_file` and `longitudinal` raise; SafetyRefusal (exit 5) where
    DICOM scans are of different patients, unless the policy is lenient.
    """
    if len(paths) < 2:
        raise UsageError("One visit has nothing to be compared with.", hint="Give two or more.")
    if t1 and len(t1) != len(paths):
        raise UsageError(f"Visits: {len(paths)}, T1 files: {len(t1)}.", hint="Give one T1 a visit.")
    chosen = with_probability(checked(config or SegmentConfig()))
    checked_days(days, count=len(paths))
    began, journal = now(), Journal(watch)
    with out_folder(out, force=force, inputs=tuple(paths)) as folder:
        job = _Job(chosen, model or load_model(chosen, weights=weights), series, watch, out)
        visits, taken = [], []
        for number, (name, path) in enumerate(zip(visit_names(len(paths)), paths, strict=True)):
            with journal.step("segment", visit=name) as noted:
                beside = t1[number] if t1 else None
                visit, scan = job.run(
                    name, path, into=folder / BETWEEN / name, t1=beside, noted=noted
                )
            visits.append(visit)
            taken.append(scan)
        _settled(folder)
        followed, about = dated(visits, taken, days)
        about += one_patient(taken, policy=Policy(chosen.policy))
        result = follow(
            followed,
            config=chosen,
            model=job.model,
            journal=journal,
            began=began,
            findings=about,
        )
        with journal.step("report", pages=chosen.report):
            _write(result, folder=folder, pages=chosen.report)
        numbers = change_statistics(replace(result, journal=journal.steps))
        with writing(STATISTICS):
            (folder / STATISTICS).write_bytes(encode_change(numbers))
    return numbers


@dataclass(frozen=True, slots=True)
class _Job:
    """What is the same for every visit."""

    config: SegmentConfig
    model: Model
    series: str
    watch: Watcher
    out: Path  # perhaps with visits of an earlier run

    def run(
        self, name: str, path: Path, *, into: Path, t1: Path | None, noted: dict[str, object]
    ) -> tuple[Followed, Taken]:
        """Segment the visit into its folder, or use it again where OUT holds it already."""
        with naming(name), opened([path]) as inside:
            cases = find_cases(inside)
            if len(cases) != 1:
                raise UsageError(
                    f"{path.name} holds {len(cases)} scans, where a visit has one.",
                    hint="Give the FLAIR of each visit, or the folder of its DICOM study.",
                )
            case = replace(cases[0], t1=t1)
            into.parent.mkdir(exist_ok=True)
            there = kept_visit(
                self.out, case, config=self.config, model=self.model, series=self.series
            )
            found = self._segmented(name, case, into=into) if there is None else None
            taken = take(
                case.path,
                case.visit,
                config=self.config,
                series=self.series,
                t1=t1,
                score=partial(likeness, config=self.config, model=self.model),
            )
            if there is not None:
                noted["kept"] = True
                there.copy(into)
                found = there.result(taken.image, config=self.config)
        assert found is not None
        return Followed(name, taken.image, found), taken

    def _segmented(self, name: str, case: Case, *, into: Path) -> Result:
        kept: list[Result] = []
        segment_case(
            case,
            out=into,
            config=self.config,
            series=self.series,
            t1=case.t1,
            model=self.model,
            watch=lambda step, seconds: self.watch(f"{name}: {step}", seconds),
            also=lambda result, _: kept.append(result),
        )
        return kept[0]


def _settled(folder: Path) -> None:
    """Put the first and the last visit beside the results; they were made apart from them.

    (A folder that is being made is locked, and nothing else can be made right inside it.)
    """
    between = folder / BETWEEN
    for name in ("baseline", "followup"):
        (between / name).rename(folder / name)
    if not any(between.iterdir()):
        between.rmdir()


def dated(
    visits: Sequence[Followed], taken: Sequence[Taken], days: Sequence[date | None]
) -> tuple[list[Followed], list[Finding]]:
    """The visits with their days: those given, else those of DICOM studies."""
    known = list(days) or [_study_day(scan) for scan in taken]
    told = [day for day in known if day is not None]
    about = []
    if told != sorted(told):
        about.append(
            Finding(
                "change.order",
                Severity.WARNING,
                "By their study dates the visits are not in order.",
                "Give the visits from the first to the last, or their days with --dates.",
            )
        )
        known = [None] * len(visits)
    return [replace(visit, day=day) for visit, day in zip(visits, known, strict=True)], about


def _study_day(taken: Taken) -> date | None:
    if taken.origin is None:
        return None
    try:
        return datetime.strptime(str(taken.origin.headers[0].StudyDate), DICOM_DAY).date()
    except (AttributeError, ValueError):
        return None


def one_patient(taken: Sequence[Taken], *, policy: Policy) -> list[Finding]:
    """Refuse DICOM of different patients; a finding under a lenient policy."""
    headers = [scan.origin.headers[0] for scan in taken if scan.origin is not None]
    if len(headers) < 2:
        return []
    from leuko.dicom.identity import same_patient

    if same_patient(headers):
        return []
    what = "By their patient numbers (or names) the visits are of different patients."
    if policy is not Policy.LENIENT:
        raise SafetyRefusal(
            what,
            hint="Check whose scans these are. If they were renamed on purpose: --lenient.",
        )
    return [Finding("change.patients", Severity.WARNING, what, "Check whose scans these are.")]


def _write(result: Longitudinal, *, folder: Path, pages: bool) -> None:
    """Everything but stats.json."""
    with writing(folder.name):
        _write_change(result.change, folder)
        if len(result.visits) > 2:
            for step in dict.fromkeys((*result.since_first, *result.steps)):
                if step is not result.change:
                    home = folder / BETWEEN / f"{step.baseline.name}_to_{step.followup.name}"
                    home.mkdir()
                    _write_change(step, home)
        if pages:
            from leuko.report.change_compose import change_document
            from leuko.report.change_html import change_html
            from leuko.report.change_pdf import change_pdf
            from leuko.report.change_preview import change_preview

            language = str(result.parameters["language"])
            document = change_document(shown_values(result), language=language)
            (folder / "report.html").write_text(change_html(document), encoding="utf-8")
            (folder / "report.pdf").write_bytes(change_pdf(document))
            (folder / "preview.png").write_bytes(change_preview(document))


def _write_change(change: Change, folder: Path) -> None:
    write(change.map, folder / CHANGE_MAP, like=change.followup.image, labels=True)
    (folder / "lesions.tsv").write_bytes(changes_tsv(change))
    space = change.comparison.space
    for name, transform in (
        ("baseline_to_followup", space.transform),
        ("halfway_to_baseline", space.to_first),
        ("halfway_to_followup", space.to_second),
    ):
        save_transform(transform, folder / f"{name}.json")
        save_transform(transform, folder / f"{name}.tfm")
