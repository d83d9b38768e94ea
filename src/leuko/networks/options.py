"""The options that networks take, with what is allowed; importing this loads no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from leuko.errors import UsageError

__all__ = ["OPTIONS", "Option", "Value"]

Value = int | float | str


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a network: its default, what it does, and what it may be."""

    default: Value
    meaning: str
    choices: tuple[Value, ...] = ()
    least: float = 0
    below: float = float("inf")

    @property
    def allowed(self) -> str:
        """What it may be, in words."""
        if self.choices:
            return ", ".join(str(choice) for choice in self.choices)
        if self.below == float("inf"):
            return f"{self.least:g} or more"
        if isinstance(self.default, int):
            return f"{self.least:g} to {self.below - 1:g}"
        return f"{self.least:g} to below {self.below:g}"

    def check(self, name: str, value: object) -> None:
        """Raise UsageError where `value` is none that is allowed."""
        numbers = (int, float) if isinstance(self.default, float) else (int,)
        if self.choices:
            fits = not isinstance(value, bool) and value in self.choices
        else:
            fits = (
                isinstance(value, numbers)
                and not isinstance(value, bool)
                and self.least <= value < self.below
            )
        if not fits:
            raise UsageError(
                f"The network's option {name} cannot be {value!r}.",
                hint=f"It may be: {self.allowed}. It {self.meaning}.",
            )


OPTIONS: Mapping[str, Option] = MappingProxyType(
    {
        "width": Option(24, "is the number of channels at the full resolution", least=1),
        "levels": Option(5, "is the number of resolutions, each half the last", least=2, below=9),
        "widest": Option(
            10, "is the most channels that a level has, in widths: doubling ends there", least=1
        ),
        "norm": Option(
            "batch", "normalises after convolutions", choices=("batch", "instance", "group")
        ),
        "dropout": Option(
            0.0, "is the share of the deepest channels silenced in training", below=1.0
        ),
        "upsampling": Option(
            "transposed",
            "enlarges in the decoder: learned or interpolated (bilinear: trilinear in 3D)",
            choices=("transposed", "bilinear", "nearest"),
        ),
    }
)
