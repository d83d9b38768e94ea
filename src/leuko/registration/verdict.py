"""What the quality of a registration means: findings."""

from __future__ import annotations

from leuko.findings import Finding, Severity
from leuko.registration.quality import Quality

__all__ = ["DOUBTFUL", "FAILED", "LITTLE_OVERLAP", "verdict"]

# Agreement, see quality.py. benchmarks/registration.py prints what scans of one person, of two and
# of something else reach.
FAILED, DOUBTFUL = 0.30, 0.65
LITTLE_OVERLAP = 0.30
FAR_MM = 4.0
LOOK = "Look at checkerboard.png, left before and right after."


def verdict(quality: Quality, *, bent: bool, unit: str = "mm") -> tuple[Finding, ...]:
    """`registration.failed` (refusal) or `registration.doubtful` (warning), or nothing.

    `unit` is what the scans' lengths count: mm, or pixels of pictures.
    """
    if quality.overlap < LITTLE_OVERLAP:
        return (
            _failed(
                f"Only {quality.overlap:.0%} of the fixed scan's head lies in the moving scan's "
                "field of view."
            ),
        )
    if quality.agreement is None:
        return _without_blocks(quality, unit)
    seen = f"Only {quality.agreement:.0%} of the places compared lie within 3 {unit} of each other"
    if quality.agreement < FAILED:
        return (_failed(f"{seen}; misplaced scans, or two different heads, reach as much."),)
    apart = quality.inconsistency_mm
    if quality.agreement < DOUBTFUL:
        kind = "the bending left much unmatched" if bent else "as for two different heads"
        return (_doubtful(f"{seen}: {kind}."),)
    if apart is not None and apart > FAR_MM and quality.agreement < (1 + DOUBTFUL) / 2:
        return (_doubtful(f"The way there and the way back differ by {apart:.1f} {unit}."),)
    return ()


def _without_blocks(quality: Quality, unit: str) -> tuple[Finding, ...]:
    """Too small or too thin for blocks: the way there and back is all there is."""
    apart = quality.inconsistency_mm
    if apart is not None and apart > FAR_MM:
        return (_failed(f"The way there and the way back differ by {apart:.1f} {unit}."),)
    return (_doubtful("The scans are too small or too thin to check whether structures match."),)


def _failed(what: str) -> Finding:
    return Finding(
        "registration.failed",
        Severity.REFUSAL,
        f"The registration failed: {what[0].lower()}{what[1:]}",
        f"{LOOK} Are both scans of the same person and part of the body? Crop them to the head, "
        "or begin from a transform of your own (--start).",
    )


def _doubtful(what: str) -> Finding:
    return Finding(
        "registration.doubtful",
        Severity.WARNING,
        f"The registration is doubtful: {what[0].lower()}{what[1:]}",
        f"{LOOK} Two different people need --method affine and then bspline.",
    )
