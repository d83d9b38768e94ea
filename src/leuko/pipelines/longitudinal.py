"""Two or more visits of one person: what is new, what grew, what shrank, what is gone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date

from msgspec import structs

from leuko.errors import LeukoError, UsageError
from leuko.findings import Finding, Policy
from leuko.image.image import Image
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.longitudinal_change import change_between, visit_of
from leuko.pipelines.longitudinal_result import Change, Followed, Longitudinal, spoken
from leuko.pipelines.model import Model, checked, load_model, parameters
from leuko.pipelines.provenance import now
from leuko.pipelines.segment import segment
from leuko.progress import Journal, Watcher, silent

__all__ = ["Change", "Longitudinal", "longitudinal", "visit_names"]


def longitudinal(
    baseline: Image,
    followup: Image,
    *later: Image,
    days: Sequence[date | None] = (),
    config: SegmentConfig | None = None,
    model: Model | None = None,
    watch: Watcher = silent,
) -> Longitudinal:
    """What changed between FLAIRs of one person, given in the order in which they were taken.

    Every visit is segmented by itself; two at a time are registered rigidly and compared in the
    space half-way between them. `days` are those of the visits, None where one is not known.
    Raises what `segment` raises, with the visit's name; SafetyRefusal (exit 5) where two visits
    cannot be laid over each other, as of two persons; UsageError (exit 2) for days out of order.
    """
    images = (baseline, followup, *later)
    chosen = with_probability(checked(config or SegmentConfig()))
    used = model or load_model(chosen)
    journal, began = Journal(watch), now()
    known = checked_days(days, count=len(images))
    visits = []
    for name, image, day in zip(visit_names(len(images)), images, known, strict=True):
        with naming(name), journal.step("segment", visit=name):
            result = segment(image, config=chosen, model=used)
        visits.append(Followed(name, image, result, day))
    return follow(visits, config=chosen, model=used, journal=journal, began=began)


def visit_names(count: int) -> list[str]:
    """The names of `count` visits, which are those of their folders, too."""
    return ["baseline", *(f"visit{number}" for number in range(2, count)), "followup"]


def with_probability(config: SegmentConfig) -> SegmentConfig:
    """The config of a visit: its probability decides with the mask what has changed."""
    return structs.replace(config, probability=True)


def checked_days(days: Sequence[date | None], *, count: int) -> list[date | None]:
    """The visits' days, or as many times None; UsageError (exit 2) for days that fall."""
    if not days:
        return [None] * count
    if len(days) != count:
        raise UsageError(f"Visits: {count}, dates: {len(days)}.", hint="Give one date a visit.")
    known = [day for day in days if day is not None]
    if known != sorted(known):
        raise UsageError(
            "The dates are not in order.", hint="Give the visits from the first to the last."
        )
    return list(days)


@contextmanager
def naming(visit: str) -> Iterator[None]:
    """Say of which visit an error speaks."""
    try:
        yield
    except LeukoError as error:
        raise type(error)(f"{spoken(visit).capitalize()}: {error.what}", hint=error.hint) from error


def follow(
    visits: Sequence[Followed],
    *,
    config: SegmentConfig,
    model: Model,
    journal: Journal,
    began: str,
    findings: Sequence[Finding] = (),
) -> Longitudinal:
    """Compare each visit with the one before it and with the first."""
    policy = Policy(config.policy)
    seen = [visit_of(visit) for visit in visits]

    def change(one: int, other: int) -> Change:
        return change_between(
            visits[one],
            visits[other],
            visits=(seen[one], seen[other]),
            policy=policy,
            journal=journal,
        )

    last = len(visits) - 1
    steps = [change(at - 1, at) for at in range(1, len(visits))]
    since = [steps[0], *(change(0, at) for at in range(2, len(visits)))]
    about = [finding for done in dict.fromkeys((*since, *steps)) for finding in done.findings]
    return Longitudinal(
        visits=tuple(visits),
        change=since[last - 1],
        steps=tuple(steps),
        since_first=tuple(since),
        findings=tuple(dict.fromkeys((*findings, *about))),
        journal=journal.steps,
        parameters=parameters(config, model.card),
        time=began,
    )
