"""What speaks for and against a stack being a FLAIR, or a T1: physics first, then its names.

Echo, repetition and inversion times make the contrast; names are given by people and survive no
de-identification; Image Type says ORIGINAL of much that is not. So a name never outweighs times
that contradict it, and a 'T1 FLAIR' is a T1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from leuko.dicom.kinds import is_anatomy
from leuko.dicom.study import Stack

__all__ = ["Evidence", "flair_evidence", "t1_evidence", "unfit"]

_FLAIR = re.compile(
    r"flair|dark ?fluid|\bda ?fl\b|tirm|\btir ?[23]d|spc ?ir|space ?ir\b|fluid ?att|dunkel|"
    r"fluide? ?noir|fl[uü]ssigkeitsunter|\bsfl\b|фла[иэ]р|フレア|플레어|\bflare\b|"
    r"压水|抑水|液体衰减",
)
_T1_FLAIR = re.compile(r"\bt1\w?(?: (?:fse|tse|w|ax|tra|sag|cor))? ?(?:flair|tirm|dark ?fluid)")
_DOUBLE = re.compile(r"\bdir\b|double (?:inv|ir\b)")  # grey matter alone is bright
_NO_HEAD = re.compile(
    r"spine|spinal|lumb|cervic|thorac|\b[hbl]ws\b|wirbel|rachis|columna|colonna|椎|knee|knie|"
    r"shoulder|schulter|abdom|pelvi|becken|liver|leber|prostat|\bhip\b|ankle|wrist|breast"
)
_T1 = re.compile(r"\bt1|mp ?rage|\btfl\b|tfl ?3d|bravo|f?spgr|\bmpr\b|t1w|inphase vibe|\bvibe\b")
_OTHER = re.compile(
    r"\bdwi|\bdti|diff|\badc\b|swi|\bsusc|tof|angio|\bmra\b|\bmrv\b|perf|\basl\b|bold|fmri|"
    r"stir\b|field ?map|\bb0\b|\bt2 ?\*|hemo|spectro|\bmip\b|ciss|fiesta"
)
_CONTRAST = re.compile(
    r"\bpost(?!er)|\+ ?c\b|\bc ?\+|\bgd\b|\bgad|contrast|kontrast|\bkm\b|\bce\b|\+ ?gd|with c\b|"
    r"pm\b|\binj|\bapr[eè]s\b|增强|造影|контраст"
)
_PLAIN = re.compile(
    r"\b(?:pre|no|non|not|wo|w o|without|before|ohne|vor|sans|avant|sin|senza|sem|без)"
    r" ?(?:iv |i v )?(?:contrast\w*|kontrast\w*|gado?\w*|gd|km|ce|inj\w*|c|контраст\w*)\b"
)
_NO_AGENT = frozenset({"", "no", "none", "n", "nil", "0", "-", "na", "n/a", "keine", "without"})
_LEAST_SLICES = 5
_WHOLE_MM = 90.0  # a brain is taller; less is part of one
_HEAD_MM = 120.0
CERTAIN, LIKELY = 4.0, 2.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """Points for a contrast, and the facts they stand on."""

    points: float
    facts: tuple[str, ...]

    @property
    def text(self) -> str:
        """The facts as one phrase."""
        return ", ".join(self.facts) or "nothing in its header says what it shows"


def unfit(stack: Stack) -> str:
    """Why a stack can be no scan of a head at all; empty where it may be one."""
    if stack.usable:
        return stack.usable
    if stack.modality not in ("MR", ""):
        return f"its modality is {stack.modality}"
    if not is_anatomy(stack.kind):
        return f"it is no anatomy ({stack.kind})"
    if stack.layout.volumes > 1:
        return f"it holds {stack.layout.volumes} volumes"
    if stack.layout.slices < _LEAST_SLICES:
        return f"it has {stack.layout.slices} slices"
    extent = _extent(stack)
    if extent is None:
        return "it does not say where it lies"
    if min(extent[0], extent[1]) < _HEAD_MM and extent[2] < _HEAD_MM:
        return f"it covers {extent[0]:.0f} x {extent[1]:.0f} x {extent[2]:.0f} mm: no whole head"
    return ""


def flair_evidence(stack: Stack) -> Evidence:
    """Points for a FLAIR: from 4 certain, from 2 likely, below 0 ruled out."""
    frame = stack.first
    echo, repeat, invert = frame.echo_time, frame.repetition_time, frame.inversion_time
    points, facts = 0.0, []
    name = _named(stack)
    if invert and echo and 1300 <= invert <= 3300 and echo >= 60 and (repeat or 9999) >= 3500:
        points += 6
        facts.append(f"TI {invert:.0f}, TE {echo:.0f} ms: fluid is dark, T2-weighted")
    elif invert and (invert < 1300 or (echo and echo < 40)):
        points -= 6
        facts.append(f"TI {invert:.0f}{f', TE {echo:.0f}' if echo else ''} ms is no FLAIR's")
    elif echo is not None and 0 < echo < 40:
        points -= 6
        facts.append(f"TE {echo:.3g} ms is too short for a FLAIR")
    elif echo and (repeat or 0) >= 5000 and "IR" in frame.scanning and not invert:
        points += 4
        facts.append(f"inversion recovery with TR {repeat:.0f}, TE {echo:.0f} ms")
    elif echo and echo >= 60 and repeat and not invert and "IR" not in frame.scanning:
        points -= 1
        facts.append(f"TR {repeat:.0f}, TE {echo:.0f} ms without inversion")
    measured = points >= CERTAIN
    if _DOUBLE.search(name):
        points -= 10
        facts.append("its name says double inversion recovery")
    elif not measured and _T1_FLAIR.search(name):
        points -= 4
        facts.append("its name says T1 FLAIR")
    elif _FLAIR.search(name):
        points += 4
        facts.append("its name or sequence says FLAIR")
    elif points < CERTAIN and (_T1.search(name) or re.search(r"\bt2|\bpd\b|tse|fse", name)):
        points -= 2
        facts.append("its name says another contrast")
    if _OTHER.search(name) or "EP" in frame.scanning:
        points -= 4
        facts.append("its name or sequence says diffusion, vessels or the like")
    if not measured and _NO_HEAD.search(name):
        points -= 6
        facts.append("its name says another part of the body")
    elif not measured and _NO_HEAD.search(stack.instance.body_part.casefold()):
        points -= 2
        facts.append("it says that it shows another part of the body")
    return _with_geometry(stack, points, facts)


def t1_evidence(stack: Stack) -> Evidence:
    """Points for a T1, with contrast agent disfavoured: from 4 certain, from 2 likely."""
    frame = stack.first
    echo, repeat, invert = frame.echo_time, frame.repetition_time, frame.inversion_time
    points, facts = 0.0, []
    name = _named(stack)
    if echo is not None and echo > 30:
        points -= 6
        facts.append(f"TE {echo:.0f} ms is too long for a T1")
    elif echo and invert and 300 <= invert < 1400:
        points += 4
        facts.append(f"TI {invert:.0f}, TE {echo:.3g} ms: T1-weighted")
    elif echo and repeat and repeat <= 1000 and "SE" in frame.scanning:
        points += 4
        facts.append(f"TR {repeat:.0f}, TE {echo:.3g} ms: T1-weighted")
    elif echo and echo <= 8 and repeat and (frame.flip_angle or 0) >= 5 and "GR" in frame.scanning:
        points += 2
        facts.append(f"gradient echo, TR {repeat:.3g}, TE {echo:.3g} ms")
    if _T1.search(name):
        points += 2
        facts.append("its name says T1")
    misnamed = (
        _OTHER.search(name)
        or _DOUBLE.search(name)
        or (_FLAIR.search(name) and not _T1.search(name))
    )
    if misnamed and points < CERTAIN:
        points -= 4
        facts.append("its name says another contrast")
    if has_contrast(stack):
        points -= 3
        facts.append("after contrast agent")
    return _with_geometry(stack, points, facts)


def has_contrast(stack: Stack) -> bool:
    """Whether a contrast agent was given, by tag or name."""
    if stack.first.contrast.casefold() not in _NO_AGENT:
        return True
    return _CONTRAST.search(_PLAIN.sub(" ", _named(stack))) is not None


def _with_geometry(stack: Stack, points: float, facts: list[str]) -> Evidence:
    extent = _extent(stack)
    if extent is not None and extent[2] < _WHOLE_MM:
        points -= 2
        facts.append(f"covers only {extent[2]:.0f} mm across its slices")
    if stack.kind in ("derived", "reformatted", "mean"):
        points -= 1
        facts.append(stack.kind)
    return Evidence(points, tuple(facts))


def _extent(stack: Stack) -> tuple[float, float, float] | None:
    spacing = stack.spacing
    if spacing is None or not stack.layout.oriented:
        return None
    first = stack.first
    return (
        spacing[0] * first.columns,
        spacing[1] * first.rows,
        spacing[2] * stack.layout.slices,
    )


def _named(stack: Stack) -> str:
    instance = stack.instance
    words = " ".join((instance.description, instance.protocol, stack.first.sequence))
    return re.sub(r"[_\-*/.,;:()\[\]]+", " ", words.casefold())
