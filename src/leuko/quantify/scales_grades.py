"""What a visual scale gives: a grade, the rule it follows, and the numbers that led to it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LABEL", "Grade", "Measured", "Scales"]

LABEL = "algorithmic estimate"


@dataclass(frozen=True, slots=True)
class Measured:
    """A number that a rule asks for, such as the length of the largest lesion."""

    name: str
    value: float
    unit: str
    what: str  # its definition, in a line


@dataclass(frozen=True, slots=True)
class Grade:
    """One grade of one scale; `grade` is None where `why_not` says what it takes."""

    name: str  # as the key in stats.json
    grade: int | None
    maximum: int
    rule: str  # with all thresholds
    measured: tuple[Measured, ...] = ()
    parts: tuple[Grade, ...] = ()  # what a sum was made of: regions, sides
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Scales:
    """All scales of one scan: estimates by stated rules, never a reader's grades.

    `by_volume` is a cross-check of the larger Fazekas grade by volume alone; `disagree` says that
    the two differ by two grades or more.
    """

    fazekas_periventricular: Grade
    fazekas_deep: Grade
    fazekas_total: Grade
    by_volume: Grade
    csvd_point: Grade
    arwmc: Grade
    scheltens_periventricular: Grade
    scheltens_deep: Grade
    why_not: str = ""  # why there is no grade at all
    label: str = LABEL

    @property
    def grades(self) -> tuple[Grade, ...]:
        """All of them, in the order of stats.json."""
        return (
            self.fazekas_periventricular,
            self.fazekas_deep,
            self.fazekas_total,
            self.by_volume,
            self.csvd_point,
            self.arwmc,
            self.scheltens_periventricular,
            self.scheltens_deep,
        )

    @property
    def disagree(self) -> bool:
        """Whether shape and volume speak for grades that lie two or more apart."""
        shape = (self.fazekas_periventricular.grade, self.fazekas_deep.grade)
        known = [grade for grade in shape if grade is not None]
        volume = self.by_volume.grade
        return bool(known) and volume is not None and abs(max(known) - volume) >= APART


APART = 2
