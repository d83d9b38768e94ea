"""What a report of change says first: its sentences, and its headline numbers."""

from __future__ import annotations

from collections.abc import Iterator

from leuko.quantify.lesions import MEDIUM_FROM_MM3
from leuko.report.change_colours import COLOURS
from leuko.report.change_values import ChangeValues, of_colour
from leuko.report.document import Measure
from leuko.report.wording import Wording

__all__ = ["headline", "summary"]


def summary(values: ChangeValues, words: Wording) -> Iterator[str]:
    """The sentences, the first of them alone worth reading."""
    numerals = words.numerals
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
            verdict=words(
                "lead.beyond" if values.is_significant else "lead.within",
                change=numerals.signed(values.lesion_change_ml),
                limit=numerals.millilitres(values.smallest_lesion_change_ml),
            ),
        )
    if parts:
        yield from _stable(values, words)
    yield _masks(values, words)
    if values.years is not None:
        yield words("lead.years", years=numerals.fixed(values.years, 1))


def _stable(values: ChangeValues, words: Wording) -> Iterator[str]:
    found = of_colour(values, "stable")
    if found:
        large = sum(one.baseline_mm3 >= MEDIUM_FROM_MM3 for one in found)
        yield _counted("lead.stable_count", len(found), words, large=words.numerals.count(large))


def _masks(values: ChangeValues, words: Wording) -> str:
    """The net change, and why it may be another one than the lesions'."""
    numerals = words.numerals
    before, after = (values.visits[at].burden.volume_ml for at in (0, -1))
    share = 100 * values.net_change_ml / before if before else None
    return words(
        "lead.net",
        before=numerals.millilitres(before),
        after=numerals.millilitres(after),
        net=numerals.signed(values.net_change_ml),
        percent="" if share is None else f", {numerals.signed(share, 0)} %",
        verdict=_verdict(values, words),
    )


def _verdict(values: ChangeValues, words: Wording) -> str:
    limit = words.numerals.millilitres(values.smallest_net_change_ml)
    return words("net.beyond" if values.net_is_significant else "net.within", limit=limit)


def headline(values: ChangeValues, words: Wording) -> Iterator[Measure]:
    """The numbers beside the key picture, the most important first."""
    numerals = words.numerals
    limit = numerals.millilitres(values.smallest_lesion_change_ml)
    verdict = words("headline.beyond" if values.is_significant else "headline.within", limit=limit)
    yield Measure(
        "change",
        words("headline.change"),
        numerals.signed(values.lesion_change_ml),
        "ml",
        words("headline.change.note", verdict=verdict),
    )
    new = of_colour(values, "new")
    volume = numerals.millilitres(sum(one.followup_mm3 for one in new) / 1000)
    yield Measure(
        "new",
        words("headline.new"),
        numerals.count(len(new)),
        "",
        words("headline.new.note", volume=volume) if new else "",
    )
    for name, value in (("growth", values.growth_ml), ("regression", values.regression_ml)):
        note = words(f"headline.{name}.note")
        yield Measure(name, words(f"headline.{name}"), numerals.millilitres(value), "ml", note)
    before, after = (values.visits[at].burden.volume_ml for at in (0, -1))
    yield Measure(
        "net",
        words("headline.net"),
        numerals.signed(values.net_change_ml),
        "ml",
        words(
            "headline.net.note",
            before=numerals.millilitres(before),
            after=numerals.millilitres(after),
        ),
    )
    if values.years is not None:
        net = numerals.signed(values.net_change_ml / values.years)
        years = numerals.fixed(values.years, 1)
        yield Measure(
            "year",
            words("headline.year"),
            numerals.signed(values.lesion_change_ml / values.years),
            "ml",
            words("headline.year.note", years=years, net=net),
        )


def _counted(key: str, count: int, words: Wording, **fields: str) -> str:
    if count == 1:
        return words(f"{key}.one")
    return words(key, count=words.numerals.count(count), **fields)


def _amount(volume_ml: float, words: Wording) -> str:
    if volume_ml == 0:
        return words("lead.nothing")
    return words("lead.ml", volume=words.numerals.millilitres(volume_ml))
