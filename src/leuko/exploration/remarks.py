"""What is to be said of the data set as a whole, and which outliers are no exceptions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from leuko.exploration.facts import Case, Facts
from leuko.exploration.outliers import COMMON
from leuko.exploration.outliers_labels import RARE
from leuko.exploration.outliers_said import Outlier
from leuko.exploration.robust import FEWEST
from leuko.exploration.suggest import class_values
from leuko.findings import Finding, Severity

__all__ = ["remarks", "sorted_out"]

# What is no exception where more than a fifth of the cases have it.
SHARED = {
    "range": ("Values of the images lie on scales that differ by a factor of up to {factor:.0f}.",
              "Scale each image by itself (zscore, unit or percentile)."),
    "volume": ("Volumes of a class differ so much that no case is an exception.", ""),
    "pieces": ("Classes fall into many pieces in many cases.", ""),
    "side": ("Where a class lies, left or right of the middle, differs from case to case.",
             "Are some of the images mirrored, or of another side of the body?"),
    "spacing": ("Spacing differs so much that no case is an exception.",
                "Resample to one spacing (the suggestion below)."),
    "shape": ("Extent differs so much that no case is an exception.", ""),
    "turned": ("Masks are stored in another order of axes than their images, at the same place.",
               "Bring both into one order: leuko preprocess --orient RAS, or leuko convert."),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Count:
    """How many of how many."""

    some: int
    all: int

    @property
    def shared(self) -> bool:
        return self.all >= FEWEST and self.some > RARE * self.all


def sorted_out(
    found: Sequence[Outlier], *, cases: Sequence[Case]
) -> tuple[tuple[Outlier, ...], tuple[Finding, ...]]:
    """Outliers that are exceptions, and a finding for each kind that a fifth or more share."""
    held: dict[str, set[str]] = defaultdict(set)
    for item in found:
        held[item.code].add(item.case)
    readable = [case for case in cases if case.facts is not None]
    shared = {
        code
        for code, names in held.items()
        if code in SHARED and _Count(len(names), len(readable)).shared
    }
    said = []
    for code in sorted(shared):
        what, hint = SHARED[code]
        text = what.format(factor=_factor(readable) if code == "range" else 0.0)
        count = f" ({len(held[code])} of {len(readable)} cases are far from the median.)"
        said.append(_note(f"shared_{code}", text + (count if code != "turned" else ""), hint))
    return tuple(item for item in found if item.code not in shared), tuple(said)


def remarks(cases: Sequence[Case], *, names: Mapping[int, str] | None = None) -> list[Finding]:
    """Properties of the whole data set that matter for training and for evaluation."""
    facts = [case.facts for case in cases if case.facts is not None]
    labels = [found.label for found in facts if found.label is not None]
    said = [*_values(facts, names or {}), *_mixed(facts)]
    empty = sum(not label.foreground for label in labels)
    if empty > RARE * len(labels):
        said.append(_note("many_empty", f"{empty} of {len(labels)} masks are empty."))
    if facts and len(labels) < (1 - RARE) * len(facts):
        what = f"{len(facts) - len(labels)} of {len(facts)} cases have no mask."
        said.append(_note("no_masks", what))
    subjects = Counter(case.subject for case in cases)
    several = [subject for subject, count in subjects.items() if count > 1]
    if several:
        said.append(
            _note(
                "several_of_a_subject",
                f"{len(several)} of {len(subjects)} subjects have more than one case "
                f"(up to {max(subjects.values())}).",
                "Split by subject, never by case: images of one person are alike.",
            )
        )
    if 0 < len(facts) < FEWEST:
        few = "1 case is" if len(facts) == 1 else f"{len(facts)} cases are"
        what = (
            f"{few} too few to say what is unusual; from {FEWEST} on, numbers are "
            "compared with their median."
        )
        said.append(_note("few_cases", what))
    return said


def _factor(cases: Iterable[Case]) -> float:
    spans = [
        cuts[-1] - cuts[0]
        for case in cases
        if case.facts is not None and (cuts := case.facts.channels[0].percentiles)[-1] > cuts[0]
    ]
    return max(spans) / min(spans)


def _values(facts: Sequence[Facts], names: Mapping[int, str]) -> list[Finding]:
    """Label values that are not 0, 1, 2 ... without a gap."""
    values = class_values(facts)
    missing = sorted(set(range(1, values[-1] + 1)) - set(values)) if values else []
    if not missing:
        return []
    if len(values) == 1:
        what = f"Masks hold 0 and {values[0]}, where a network of two classes counts 0 and 1."
        hint = "leuko train counts anew by itself; other software may not."
        return [_note("label_values", what, hint)]
    what = (
        f"Label values run from {values[0]} to {values[-1]}, but {len(missing)} of those between "
        f"are in no mask: {_list(missing)}."
    )
    hint = "For training, name the labels that count in data.classes; a network counts 0, 1, 2 ..."
    severity = Severity.NOTE if set(values) <= set(names) else Severity.WARNING
    return [Finding("exploration.label_values", severity, what, hint)]


def _mixed(facts: Sequence[Facts]) -> list[Finding]:
    """Orientations and scales of which none is the common one."""
    said = []
    for code, what, kinds in (
        ("orientations", "Axes run in different orders", [f.orientation or "?" for f in facts]),
        ("scales", "Values have different meanings", [f.channels[0].scale for f in facts]),
        ("types", "Values are stored in different types", [f.channels[0].dtype for f in facts]),
    ):
        counts = Counter(kinds).most_common()
        if len(counts) > 1 and counts[0][1] < COMMON * len(facts):
            each = ", ".join(f"{name} {count}" for name, count in counts[:6])
            hint = (
                "leuko turns every image to the body's axes by itself; other software may not."
                if code == "orientations"
                else ""
            )
            said.append(_note(f"mixed_{code}", f"{what}: {each}.", hint))
    return said


def _list(values: Sequence[int]) -> str:
    return ", ".join(map(str, values[:8])) + (" ..." if len(values) > 8 else "")


def _note(code: str, what: str, hint: str = "") -> Finding:
    return Finding(f"exploration.{code}", Severity.NOTE, what, hint)
