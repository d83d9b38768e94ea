"""How numbers are written in a report: one rule for each unit, None never becomes a number."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real

__all__ = [
    "Numerals",
    "count",
    "millilitres",
    "millimetres",
    "percent",
    "plain",
    "short_millilitres",
    "unbroken",
    "volume",
]

MINUS = "−"
UNIT = re.compile(r"(?<=\d) (?=(?:ml|mm³|mm|%)(?:\W|$))")


def millilitres(value: float) -> str:
    """Two decimals below 10 ml, one from there; what would round to zero but is not: '< 0.01'."""
    if 0 < value < 0.005:
        return "< 0.01"
    return f"{value:,.2f}" if value < 9.995 else f"{value:,.1f}"


def short_millilitres(value: float) -> str:
    """For sentences: one decimal from 1 ml, two below."""
    return f"{value:,.1f}" if value >= 0.995 else millilitres(value)


def volume(value_mm3: float) -> str:
    """Cubic millimetres: whole from 100, one decimal below unless it is whole."""
    if value_mm3 >= 99.95 or abs(value_mm3 - round(value_mm3)) < 0.05:
        return f"{value_mm3:,.0f}"
    return f"{value_mm3:.1f}"


def percent(value: float) -> str:
    """One decimal; what would round to zero but is not: '< 0.1'."""
    return "< 0.1" if 0 < value < 0.05 else f"{value:.1f}"


def millimetres(value: float) -> str:
    """One decimal, with a true minus sign and never a minus zero."""
    text = f"{value:.1f}"
    return "0.0" if text == "-0.0" else text.replace("-", MINUS)


def count(value: int) -> str:
    """Whole numbers with thousands separated."""
    return f"{value:,}"


def signed(value: float, decimals: int = 2) -> str:
    """A difference with its sign; nothing has none."""
    text = f"{value:+,.{decimals}f}"
    return text[1:] if float(text.replace(",", "")) == 0 else text.replace("-", MINUS)


def unbroken(text: str) -> str:
    """The text with no line break possible between a number and its unit."""
    return UNIT.sub("\u00a0", text)


def plain(value: object) -> str:
    """A parameter or an effect of a step, whatever it is, as short text."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case str():
            return value
        case Integral():
            return str(int(value))
        case Real():
            return f"{float(value):.4g}"
        case Mapping():
            return ", ".join(f"{key} {plain(item)}" for key, item in value.items())
        case list() | tuple():
            return ", ".join(plain(item) for item in value)
    return str(value)


@dataclass(frozen=True, slots=True)
class Numerals:
    """The rules of this module in a language: its decimal sign, its thousands separator."""

    decimal: str = "."
    thousands: str = ","

    def written(self, text: str) -> str:
        """A number written in English as this language writes it."""
        return text.translate({ord("."): self.decimal, ord(","): self.thousands})

    def millilitres(self, value: float) -> str:
        """See `millilitres`."""
        return self.written(millilitres(value))

    def short_millilitres(self, value: float) -> str:
        """See `short_millilitres`."""
        return self.written(short_millilitres(value))

    def volume(self, value_mm3: float) -> str:
        """See `volume`."""
        return self.written(volume(value_mm3))

    def percent(self, value: float) -> str:
        """See `percent`."""
        return self.written(percent(value))

    def millimetres(self, value: float) -> str:
        """See `millimetres`."""
        return self.written(millimetres(value))

    def signed(self, value: float, decimals: int = 2) -> str:
        """See `signed`."""
        return self.written(signed(value, decimals))

    def count(self, value: int) -> str:
        """See `count`."""
        return self.written(count(value))

    def fixed(self, value: float, decimals: int) -> str:
        """A number with so many decimals and a true minus sign."""
        return self.written(f"{value:,.{decimals}f}".replace("-", MINUS))

    def general(self, value: float, digits: int) -> str:
        """A number of at most so many digits."""
        return self.written(f"{value:.{digits}g}".replace("-", MINUS))
