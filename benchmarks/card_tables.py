"""The tables of a model card: which sets, how well on each, by size of lesion, healthy heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from score_tables import HEADINGS, SIZES, markdown
from scoring import BIAS, COLUMNS

__all__ = ["Known", "Measured", "Share", "Values", "text"]

Interval = tuple[float, float | None, float | None]  # a mean, and the ends of its 95 % interval
Overview = tuple[str, tuple[str, str, str], tuple[str, str]]  # set; its words; its sharing
DECIMALS = {"h95": 1, "avd": 0, BIAS: 0}


class Share(msgspec.Struct, frozen=True):
    """A share `of` so many lesions, and its 95 % interval over scans."""

    of: int
    value: float | None
    low: float | None
    high: float | None


class Values(msgspec.Struct, frozen=True):
    """A method on a set: metrics over scans; lesions found, and marks that are true, by size."""

    metrics: dict[str, Interval] = {}
    found: tuple[Share, ...] = ()
    true: tuple[Share, ...] = ()


class Measured(msgspec.Struct, frozen=True):
    """A model on a set: which run's weights were scored; of healthy heads the false ml of each."""

    run: str
    sha256: str
    scans: int
    values: Values
    false_ml: dict[str, float] = {}


class Known(msgspec.Struct, frozen=True):
    """Everything that the card shows: models by name and set, peers by set and name."""

    models: dict[str, dict[str, Measured]] = {}
    peers: dict[str, dict[str, Values]] = {}


def text(models: Sequence[str], sets: Sequence[Overview], known: Known) -> str:
    """The tables, Markdown: models and sets in the order given, those not measured left out."""
    by_set = {
        key: {name: own[key] for name in models if key in (own := known.models.get(name, {}))}
        for key, _, _ in sets
    }
    parts = [_overview(sets, by_set)]
    for key, (title, _, truth), _ in sets:
        if not by_set[key]:
            continue
        false = {name: one for name, one in by_set[key].items() if one.false_ml}
        table = _false(false) if false else _results(by_set[key], known.peers.get(key, {}))
        parts.append(f"**{title}** ({truth})\n\n{table}")
    sized = {
        title: {name: one.values for name, one in by_set[key].items() if one.values.found}
        for key, (title, _, _), _ in sets
        if not key.endswith("ventricles")
    }
    if any(sized.values()):
        parts.append("**Lesions found, by size** (share of all true lesions of that size)\n\n"
                     + _by_size(sized, of="found"))  # fmt: skip
        parts.append("**Marks that are true, by size** (share of all marks of that size)\n\n"
                     + _by_size(sized, of="true"))  # fmt: skip
    waiting = [name for name in models if not known.models.get(name)]
    if waiting:
        parts.append(f"Not measured yet: {', '.join(waiting)}.")
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _overview(sets: Sequence[Overview], by_set: Mapping[str, Mapping[str, Measured]]) -> str:
    rows = []
    for key, (title, scans, _), sharing in sets:
        measured = by_set[key]
        count = max((one.scans for one in measured.values()), default=0)
        runs = dict.fromkeys(f"`{one.run.rpartition('/')[2]}`" for one in measured.values())
        rows.append((title, str(count or ""), scans, ", ".join(runs), *sharing))
    return markdown(
        (
            "set, definition",
            "scans",
            "what they are",
            "scored with the weights of",
            "seen in training of the packaged weights",
            "shares",
        ),
        rows,
    )


def _results(measured: Mapping[str, Measured], peers: Mapping[str, Values]) -> str:
    rows = [(f"**leuko {name}**", one.values) for name, one in measured.items()]
    rows += list(peers.items())
    return markdown(
        ("method", *HEADINGS, "bias %"),
        [(name, *(_cell(key, one.metrics) for key in (*COLUMNS, BIAS))) for name, one in rows],
    )


def _false(measured: Mapping[str, Measured]) -> str:
    cases = list(dict.fromkeys(case for one in measured.values() for case in one.false_ml))
    return markdown(
        ("false ml", *cases),
        [
            (f"**leuko {name}**", *(_ml(one.false_ml.get(case)) for case in cases))
            for name, one in measured.items()
        ],
    )


def _by_size(sized: Mapping[str, Mapping[str, Values]], *, of: str) -> str:
    rows = [
        (title, name, *(_share(one) for one in getattr(values, of)))
        for title, models in sized.items()
        for name, values in models.items()
    ]
    return markdown(("set, definition", "model", *SIZES), rows)


def _cell(name: str, metrics: Mapping[str, Interval]) -> str:
    """A mean and its interval: `.685 (.63-.74)`, `-20 (-31..+4)`."""
    if name not in metrics:
        return "n/a"
    value, low, high = metrics[name]
    if name == BIAS:
        return f"{value:+.0f}" + (
            "" if low is None or high is None else f" ({low:+.0f}..{high:+.0f})"
        )
    return _number(value, DECIMALS.get(name, 3)) + _range(low, high, DECIMALS.get(name, 2))


def _share(one: Share) -> str:
    if not one.of or one.value is None:
        return "none"
    return f"{_number(one.value, 2)} of {one.of}{_range(one.low, one.high, 2)}"


def _range(low: float | None, high: float | None, decimals: int) -> str:
    if low is None or high is None:
        return ""
    return f" ({_number(low, decimals)}-{_number(high, decimals)})"


def _number(value: float, decimals: int) -> str:
    """`.685` for 0.685, `14.1`, `1.00`; a whole number without a point."""
    shown = f"{value:.{decimals}f}"
    return shown.removeprefix("0") if shown.startswith("0.") and decimals > 1 else shown


def _ml(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
