"""Findings: what leuko noticed about an input or a result, and what a policy makes of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from leuko.errors import UnusableInput, printable

__all__ = ["Finding", "Policy", "Severity", "as_warnings", "gate"]


class Severity(StrEnum):
    """How much a finding matters."""

    NOTE = "note"  # good to know; the result is not in doubt
    WARNING = "warning"  # the result may be off: look at it
    REFUSAL = "refusal"  # not usable for this task under the default policy


class Policy(StrEnum):
    """What to do with findings: refuse on any warning, on refusals only, or never."""

    STRICT = "strict"
    DEFAULT = "default"
    LENIENT = "lenient"


@dataclass(frozen=True, slots=True)
class Finding:
    """One observation: a stable code (`nifti.sform_qform_disagree`), what was seen, what to do."""

    code: str
    severity: Severity
    what: str
    hint: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "what", printable(self.what))
        object.__setattr__(self, "hint", printable(self.hint))


def as_warnings(findings: Iterable[Finding], *, hint: str | None = None) -> list[Finding]:
    """The findings where nothing is refused: what would refuse elsewhere is a warning.

    `hint` replaces the way out of those, which speaks of the other task.
    """
    return [
        replace(finding, severity=Severity.WARNING, hint=finding.hint if hint is None else hint)
        if finding.severity is Severity.REFUSAL
        else finding
        for finding in findings
    ]


def gate(findings: Iterable[Finding], *, policy: Policy) -> None:
    """Raise UnusableInput (exit 4) for the findings that `policy` does not accept."""
    refused = {
        Policy.STRICT: {Severity.WARNING, Severity.REFUSAL},
        Policy.DEFAULT: {Severity.REFUSAL},
        Policy.LENIENT: set[Severity](),
    }[policy]
    stopping = [finding for finding in findings if finding.severity in refused]
    if stopping:
        hints = dict.fromkeys(finding.hint for finding in stopping if finding.hint)
        raise UnusableInput(
            " ".join(finding.what for finding in stopping),
            hint=" ".join([*hints, "To go on all the same: --lenient."]),
        )
