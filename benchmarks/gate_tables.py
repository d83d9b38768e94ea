"""What gate.py measured, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Row", "tables"]


@dataclass(frozen=True, slots=True)
class Row:
    """A scan or a corrupted copy of it, and what was found: codes by severity."""

    scan: str
    kind: str  # good, with a tumour, no FLAIR, or the name of a corruption
    expected: tuple[str, ...]
    refusals: tuple[str, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def codes(self) -> set[str]:
        """All of them."""
        return {*self.refusals, *self.warnings, *self.notes}

    @property
    def caught(self) -> bool:
        """Whether what is wrong was found; of no FLAIR any warning or refusal counts."""
        if self.expected:
            return bool(self.codes & set(self.expected))
        return bool(self.refusals or self.warnings)


def tables(rows: Sequence[Row], *, good: str, other: str, tumour: str) -> str:
    """How much of what is wrong is caught, and what is found in scans that are good."""
    fine = [row for row in rows if row.kind == good]
    parts = ["| scans | what is looked for | caught | other warnings |", "|---|---|---|---|"]
    for kind in dict.fromkeys(row.kind for row in rows if row.kind != good):
        own = [row for row in rows if row.kind == kind]
        caught = sum(row.caught for row in own)
        looked = ", ".join(f"`{code}`" for code in own[0].expected) or "any warning or refusal"
        parts.append(f"| {kind} | {looked} | {caught}/{len(own)} | {_beside(own, fine)} |")
    flagged = [row for row in fine if row.warnings or row.refusals]
    head = (
        f"Of {len(fine)} good FLAIRs {len(flagged)} have a warning or a refusal"
        + (": " + "; ".join(f"{row.scan} {', '.join([*row.refusals, *row.warnings])}"
                            for row in flagged) if flagged else "")
        + "."
    )  # fmt: skip
    strange = [row for row in rows if row.kind == other]
    refused = sum(bool(row.refusals) for row in strange)
    head += (
        f" Of {len(strange)} images that are no FLAIR {refused} are refused, and "
        f"{sum(bool(row.warnings) and not row.refusals for row in strange)} have a warning."
    )
    return "\n".join([head, "", *parts, "", *_codes(rows, (good, other, tumour))])


def _beside(rows: Sequence[Row], good: Sequence[Row]) -> str:
    """Codes that were not looked for and are not on the scans as they are, with their number."""
    before = {row.scan: row.codes for row in good}
    counts: dict[str, int] = {}
    for row in rows:
        new = {*row.refusals, *row.warnings} - set(row.expected) - before.get(row.scan, set())
        for code in new if row.expected else ():
            counts[code] = counts.get(code, 0) + 1
    return ", ".join(f"`{code}` {count}" for code, count in sorted(counts.items()))


def _codes(rows: Sequence[Row], kinds: tuple[str, str, str]) -> list[str]:
    """A line for each code: how many good scans have it, and how many others."""
    lines = ["| code | good FLAIRs | no FLAIR | glioma | corrupted copies meant for it |",
             "|---|---|---|---|---|"]  # fmt: skip
    codes = sorted({code for row in rows for code in {*row.codes, *row.expected}})
    for code in codes:
        if not code.startswith(("scan.", "result.")):
            continue
        counts = [_share([row for row in rows if row.kind == kind], code)
                  for kind in kinds]  # fmt: skip
        meant = [row for row in rows if code in row.expected and row.kind not in kinds]
        lines.append(f"| `{code}` | {' | '.join(counts)} | {_share(meant, code)} |")
    return lines


def _share(rows: Sequence[Row], code: str) -> str:
    return f"{sum(code in row.codes for row in rows)}/{len(rows)}" if rows else ""
