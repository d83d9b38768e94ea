"""What trained weights are, what they need, and the operating point chosen with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from leuko.errors import ReadError, UsageError
from leuko.models.channels import input_channels, with_t1

__all__ = [
    "Card",
    "Definition",
    "LogOdds",
    "OperatingPoint",
    "Views",
    "VolumeErrors",
    "card_to_json",
    "parse_card",
]

Definition = Literal["vascular", "ms"]
Share = Annotated[float, Meta(ge=0, le=1)]
Magnitude = Annotated[float, Meta(ge=0)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class OperatingPoint(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How probabilities become a mask under one definition of lesion."""

    temperature: Annotated[float, Meta(gt=0)] = 1.0
    """The log-odds of the network are divided by this first: above 1 it was too sure."""

    threshold: Share
    """Probability from which a voxel belongs to the mask."""

    refine_support: Share
    """Probability from which a voxel may seed or hold a refined lesion."""

    refine_evidence: Magnitude = 0.0
    """What the step from the brightness of brain to that of lesions adds to a voxel's log-odds."""

    refine_level: Share
    """Where the edge lies between the brightness of brain (0) and of lesions (1)."""

    refine_summit: Share
    """Which quantile of the lesions' brightness is theirs: .5 the median, .9 the bright core."""

    refine_deviations: Magnitude = 0.0
    """How many robust standard deviations of white matter the edge lies above it at least."""

    refine_reach_mm: Magnitude
    """How far in mm the refined edge may lie from the network's own lesion."""

    confine_margin_mm: Magnitude
    """The margin in mm by which white matter is grown to hold the mask."""

    min_lesion_mm3: Magnitude
    """Smaller lesions are removed."""

    min_lesion_peak: Share = 0.0
    """Lesions that reach this probability nowhere are removed."""


class Views(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is averaged over, besides the scan's own slices as they are."""

    flips: bool = False
    """Each slice also mirrored, left for right, where a scan is seen in one plane."""

    planes: bool = False
    """Scans of nearly isotropic voxels also in the other two planes."""


class VolumeErrors(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How far volumes lie from those of experts, on scans that weights like these never saw.

    benchmarks/intervals.py fits them; `leuko.quantify.uncertainty` makes intervals of them.
    """

    below: Magnitude
    """How far log(volume + floor_ml) reaches towards smaller volumes at `level`."""

    above: Magnitude
    """How far it reaches towards larger ones."""

    floor_ml: Annotated[float, Meta(gt=0)]
    """The volume in ml around which errors turn from ml into shares."""

    level: Annotated[float, Meta(gt=0, lt=1)] = 0.9
    """The share of volumes that the interval is to hold."""

    scans: Annotated[int, Meta(ge=1)]
    """On how many scans the errors were measured."""

    sets: Annotated[int, Meta(ge=1)]
    """Of how many scanners or projects."""

    held: Annotated[int, Meta(ge=0)]
    """How many volumes lay in intervals fitted on the other sets."""

    judged: Annotated[int, Meta(ge=1)]
    """Of how many: a scan with truth under both definitions counts twice."""

    automatic: Annotated[int, Meta(ge=0)] | None = None
    """On how many of the scans the reference is another program's mask, not an expert's."""

    empty: Annotated[int, Meta(ge=0)] | None = None
    """On how many there is no lesion at all, so that every mark is false."""


class LogOdds(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A probability from the log-odds of another one: `slope` times these plus `offset` (Platt).

    benchmarks/intervals.py fits them on scans that weights like these never saw.
    """

    slope: Magnitude
    offset: float


class Card(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One set of weights: identity, input, output, operating points, origin."""

    name: str
    version: str
    files: dict[str, Sha256]
    """File name beside the card -> SHA-256 of its bytes."""

    graph: str
    """The OpenVINO graph (.xml); its weights lie beside it with the suffix .bin or .pt."""

    checkpoint: str | None = None
    """The weights for the torch engine; where there is no .bin, for OpenVINO's graph, too."""

    architecture: str
    """A name of `leuko.networks.catalogue`."""

    options: dict[str, int | float | str] = {}
    """The architecture's options."""

    parameters: Annotated[int, Meta(ge=0)] = 0
    """How many numbers were trained."""

    classes: tuple[str, ...]
    """What the output channels mean, in order (`leuko.models.classes.Tissue`)."""

    pixel_mm: Annotated[float, Meta(gt=0)]
    """Pixel size in mm that slices are resampled to."""

    neighbours_mm: Annotated[tuple[Annotated[float, Meta(gt=0)], ...], Meta(min_length=1)]
    """Rising distances in mm of the neighbour slices shown on either side of each slice."""

    operating_points: Mapping[Definition, OperatingPoint]

    views: Views = Views()
    """What the network is shown of a scan; chosen with the weights, as the operating points."""

    volume_errors: VolumeErrors | None = None
    """None where nobody measured them: then no interval is given."""

    lesion_odds: LogOdds | None = None
    """From a lesion's highest probability to that of being one for an expert, too."""

    voxel_odds: LogOdds | None = None
    """From the probability of a voxel to that of the probability map; None: the map's own."""

    training: str = ""
    """What the weights were trained on, in a sentence or two."""

    licence: str = ""
    attribution: tuple[str, ...] = ()
    """Whom to name for the training data."""

    def __post_init__(self) -> None:
        seen = input_channels(len(self.neighbours_mm), t1=self.takes_t1)
        if seen != self.channels:
            raise ValueError(
                f"{len(self.neighbours_mm)} neighbours_mm are no input of {self.channels} channels"
            )

    @property
    def weights(self) -> str:
        """The file with the numbers of the graph: a .bin of its own, or the checkpoint."""
        own = self.graph.removesuffix(".xml") + ".bin"
        return own if own in self.files or self.checkpoint is None else self.checkpoint

    @property
    def sha256(self) -> str:
        """SHA-256 of the file of weights."""
        return self.files[self.weights]

    @property
    def width(self) -> int:
        """Channels at full resolution, 0 where the architecture has no such option."""
        return int(self.options.get("width", 0))

    @property
    def channels(self) -> int:
        """How many channels the network sees: a slice amid its neighbours, and perhaps its T1."""
        return int(self.options.get("in_channels", 3))

    @property
    def takes_t1(self) -> bool:
        """Whether the network sees the T1 of a slice (or 0) beside the slice and its neighbours.

        A slice and its neighbours on either side are an odd number of channels.
        """
        return with_t1(self.channels)

    def operating_point(self, definition: str) -> OperatingPoint:
        """The operating point of a definition; UsageError where the card has none."""
        for known, point in self.operating_points.items():
            if known == definition:
                return point
        raise UsageError(
            f"The weights {self.name} know no definition '{definition}'.",
            hint=f"Choose from: {', '.join(self.operating_points)}.",
        )


def parse_card(content: bytes, *, name: str = "card.json") -> Card:
    """The card in the bytes of a JSON file; ReadError where it is not one."""
    try:
        return msgspec.json.decode(content, type=Card)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ReadError(
            f"{name} is not a card of weights: {error}.",
            hint="Install leuko again, or export the weights again.",
        ) from error


def card_to_json(card: Card) -> bytes:
    """The card as the JSON file that lies beside the weights."""
    return msgspec.json.format(msgspec.json.encode(card), indent=2) + b"\n"
