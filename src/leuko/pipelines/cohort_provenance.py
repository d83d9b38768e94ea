"""What made the finished scans of a cohort, in a line for each kind of thing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from leuko.pipelines.cohort_table import Numbers, Outcome
from leuko.report.document import Entry
from leuko.report.wording import cohort_words

__all__ = ["provenance"]


def provenance(done: Sequence[Outcome]) -> tuple[Entry, ...]:
    """Version, definition, weights and engine; where they differ, with the scans of each."""
    found = [outcome.numbers for outcome in done if outcome.numbers]
    lines: tuple[tuple[str, Callable[[Numbers], str]], ...] = (
        ("version", lambda one: _text(one["leuko_version"])),
        ("definition", _definition),
        ("weights", _weights),
        ("sha256", lambda one: _text(one["weights_sha256"])),
        ("engine", lambda one: ", ".join(filter(None, map(_text, _engine(one))))),
    )
    words = cohort_words()
    entries = []
    for key, told in lines:
        counts = Counter(filter(None, map(told, found)))
        if len(counts) == 1:
            entries.append(Entry(words(f"provenance.{key}"), *counts))
        elif counts:
            each = (words("provenance.scans", value=value, count=f"{count:,}")
                    for value, count in counts.most_common())  # fmt: skip
            entries.append(Entry(words(f"provenance.{key}"), "; ".join(each)))
    return tuple(entries)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _definition(one: Numbers) -> str:
    name = _text(one["definition"])
    return cohort_words().known(f"provenance.definition.{name}", name)


def _weights(one: Numbers) -> str:
    name, version = _text(one["weights_name"]), _text(one["weights_version"])
    if not (name and version):
        return name
    return cohort_words()("provenance.weights_version", name=name, version=version)


def _engine(one: Numbers) -> tuple[object, object]:
    return one["engine"], one["precision"]
