"""What a reader should know of a stack although it changes nothing here."""

from __future__ import annotations

import math
from collections import Counter

from leuko.dicom.compressed import LOSSY, sign_disagrees
from leuko.dicom.kinds import is_colour
from leuko.dicom.study import Stack
from leuko.findings import Finding, Severity

__all__ = ["remarks"]


def remarks(stack: Stack) -> tuple[Finding, ...]:
    """Findings on compression, burned-in text, what the stack shows, and thin stacks."""
    found = []
    instance = stack.instance
    if any(part.lossy or part.syntax in LOSSY for part in stack.instances):
        found.append(
            Finding(
                "dicom.lossy",
                Severity.WARNING,
                "The pixels were compressed with loss: small or faint lesions may differ.",
                "Export the series again without loss.",
            )
        )
    if sign_disagrees(instance):
        found.append(
            Finding(
                "dicom.sign",
                Severity.WARNING,
                "Header and compressed data differ on whether pixels may be negative; the "
                "smoother image was taken.",
                "Look at the image; export the series again, uncompressed, if it looks wrong.",
            )
        )
    if is_colour(stack.first):
        found.append(
            Finding(
                "dicom.colour",
                Severity.REFUSAL,
                "The pixels are coloured; their luminance (ITU-R BT.601) was taken.",
                "A coloured picture is no scan: give the series that it was made from.",
            )
        )
    if any(part.burned_in for part in stack.instances):
        found.append(
            Finding(
                "dicom.burned_in",
                Severity.WARNING,
                "The file says that text is burned into the picture, perhaps a patient's name.",
                "Do not publish pictures of it.",
            )
        )
    first = stack.first
    if first.real_world and not _same_scale(first.real_world, (first.slope, first.inter)):
        found.append(
            Finding(
                "dicom.real_world",
                Severity.NOTE,
                "The file also holds a real-world value map (slope "
                f"{first.real_world[0]:g}, intercept {first.real_world[1]:g}); the rescale slope "
                "and intercept were used.",
            )
        )
    found += _diffusion(stack)
    if stack.kind == "localizer":
        found.append(_not_anatomy("a localizer (a quick scan for planning)"))
    elif stack.kind == "secondary capture":
        found.append(_not_anatomy("a secondary capture (a screen shot or a derived picture)"))
    elif stack.kind in ("phase", "real", "imaginary"):
        found.append(_not_anatomy(f"the {stack.kind} part of a complex image"))
    if _made_up(stack):
        found.append(
            Finding(
                "dicom.position_made_up",
                Severity.WARNING,
                "Its positions begin at exactly 0 without any turn: they look made up, not taken "
                "from a scanner.",
                "Left and right may be wrong, and it need not fit the other series of the study.",
            )
        )
    if stack.layout.slices == 2 and stack.layout.oriented:
        found.append(
            Finding(
                "dicom.two_slices",
                Severity.WARNING,
                "There are only two slices: whether one is missing between them cannot be seen.",
                "Check that the series is complete.",
            )
        )
    if instance.modality not in ("MR", ""):
        found.append(
            Finding(
                "dicom.modality", Severity.NOTE, f"The modality is {instance.modality}, not MR."
            )
        )
    return tuple(found)


def _made_up(stack: Stack) -> bool:
    """Whether a head's corner pixel would lie on the origin, which no scanner does."""
    first = stack.first
    if first.position is None or first.orientation != ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)):
        return False
    return first.position[:2] == (0.0, 0.0)


def _same_scale(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return all(math.isclose(a, b, rel_tol=1e-4) for a, b in zip(one, other, strict=True))


def _not_anatomy(what: str) -> Finding:
    return Finding(
        "dicom.not_anatomy",
        Severity.WARNING,
        f"The series is {what}, not a scan of the anatomy.",
        "Choose another series: leuko dicom list shows them.",
    )


def _diffusion(stack: Stack) -> list[Finding]:
    """The b-values of the volumes, which an array does not say."""
    weights = [frame.b_value for frame in stack.frames[:: stack.layout.slices]]
    if stack.layout.volumes == 1 or None in weights:
        return []
    counts = Counter(f"{weight:g}" for weight in weights)
    listed = ", ".join(
        f"{weight} ({count} times)" if count > 1 else weight for weight, count in counts.items()
    )
    return [
        Finding(
            "dicom.diffusion",
            Severity.NOTE,
            f"The volumes are weighted by diffusion, b = {listed} s/mm2; b-values and directions "
            "are in the DICOM files alone, not in what is converted from them.",
            "Keep the DICOM files; for tractography convert with a program that writes both.",
        )
    ]
