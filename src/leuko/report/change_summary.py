"""What a report of change says first: its sentences, and its headline numbers."""

from __future__ import annotations

from collections.abc import Iterator

from leuko.report import rounding
from leuko.report.change_colours import COLOURS
from leuko.report.change_values import ChangeValues, of_colour
from leuko.report.document import Measure
from leuko.report.wording import Wording

__all__ = ["headline", "summary"]


def summary(values: ChangeValues, words: Wording) -> Iterator[str]:
    """The sentences, the first of them alone worth reading."""
    limit = rounding.millilitres(values.smallest_change_ml)
    significance = words("lead.beyond" if values.is_significant else "lead.within", limit=limit)
    parts: list[str] = []
    for name in COLOURS:
        if name != "stable" and (found := of_colour(values, name)):
            place = "part" if parts else "first"
            parts.append(_counted(f"lead.{place}.{name}", len(found), words))
    if not values.lesions:
        yield words("lead.none")
    elif not parts:
        yield words("lead.stable")
    else:
        yield words(
            "lead.changed",
            parts=", ".join(parts),
            growth=_amount(values.growth_ml, words),
            regression=_amount(values.regression_ml, words),
            significance=significance,
        )
    stable = len(of_colour(values, "stable"))
    if parts and stable:
        yield _counted("lead.stable_count", stable, words)
    before, after = (values.visits[at].burden.volume_ml for at in (0, -1))
    share = f", {rounding.signed(100 * (after - before) / before, 0)} %" if before else ""
    yield words(
        "lead.volumes",
        before=rounding.millilitres(before),
        after=rounding.millilitres(after),
        net=rounding.signed(after - before),
        percent=share,
    )
    if values.years is not None:
        yield words("lead.years", years=f"{values.years:.1f}")


def headline(values: ChangeValues, words: Wording) -> Iterator[Measure]:
    """The numbers beside the key picture, the most important first."""
    change = values.growth_ml - values.regression_ml
    limit = rounding.millilitres(values.smallest_change_ml)
    significance = words(
        "headline.beyond" if values.is_significant else "headline.within", limit=limit
    )
    yield Measure(
        "change",
        words("headline.change"),
        rounding.signed(change),
        "ml",
        words("headline.change.note", significance=significance),
    )
    new = of_colour(values, "new")
    volume = rounding.millilitres(sum(one.followup_mm3 for one in new) / 1000)
    yield Measure(
        "new",
        words("headline.new"),
        rounding.count(len(new)),
        "",
        words("headline.new.note", volume=volume) if new else "",
    )
    for name, value in (("growth", values.growth_ml), ("regression", values.regression_ml)):
        label = words(f"headline.{name}")
        note = words(f"headline.{name}.note")
        yield Measure(name, label, rounding.millilitres(value), "ml", note)
    before, after = (values.visits[at].burden.volume_ml for at in (0, -1))
    yield Measure(
        "volume",
        words("headline.volume"),
        rounding.millilitres(after),
        "ml",
        words("headline.volume.note", before=rounding.millilitres(before)),
    )
    if values.years is not None:
        note = words("headline.year.note", years=f"{values.years:.1f}")
        yield Measure(
            "year", words("headline.year"), rounding.signed(change / values.years), "ml", note
        )


def _counted(key: str, count: int, words: Wording) -> str:
    return words(f"{key}.one") if count == 1 else words(key, count=rounding.count(count))


def _amount(volume_ml: float, words: Wording) -> str:
    if volume_ml == 0:
        return words("lead.nothing")
    return words("lead.ml", volume=rounding.millilitres(volume_ml))
