"""The images of one subject scored as one case, as patient-wise results of slices need it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from leuko.errors import UsageError
from leuko.evaluation.multiclass import label_pairs, pooled_scores
from leuko.evaluation.pair import Pair, named, pair_images
from leuko.evaluation.pooled import LENGTHS, Pooled, pool
from leuko.findings import Finding, Severity
from leuko.image.grid import require_same_grid
from leuko.image.image import Image
from leuko.pipelines.evaluate_masks import as_labels, labels_in, read_pair, spoken_rule
from leuko.pipelines.pairing import Pairing, PathPair

__all__ = ["Pieces", "missing_of", "read_pieces", "require_poolable", "subjects_of"]

MISSING = "evaluation.images_missing"


@dataclass(frozen=True, slots=True)
class Pieces:
    """All pairs of images of a subject: `wrong` counts the voxels in error of each by its name."""

    images: tuple[tuple[Image, Image], ...]
    pairs: tuple[Pair, ...]
    wrong: Mapping[str, int]
    findings: tuple[Finding, ...]
    sized: bool
    rule: str

    @property
    def whole(self) -> Pooled:
        """The masks of all images together."""
        return pool(self.pairs)

    def labels(self) -> dict[int, Pooled]:
        """Every label that occurs, over all images."""
        held = sorted({v for pair in self.images for image in pair for v in labels_in(image.data)})
        found = [label_pairs(*pair, labels=held) for pair in self.images]
        return {label: pool(one[label] for one in found) for label in held}

    def over_classes(self, names: Iterable[str]) -> dict[str, float]:
        """The metrics `names` that are means over the classes."""
        scores = pooled_scores(self.images)
        return {name: getattr(scores, name) for name in names}


def require_poolable(names: Iterable[str]) -> None:
    """Raise UsageError (exit 2) for a metric that several images have no value of."""
    lengths = [name for name in names if name in LENGTHS]
    if lengths:
        raise UsageError(
            f"{lengths[0]} is a distance between two masks, and has no value over the images of "
            "a subject.",
            hint="Leave it out, or leave out --subject.",
        )


def subjects_of(pairing: Pairing, *, pattern: str) -> dict[str, tuple[PathPair, ...]]:
    """Subject to its pairs; the subject is what `pattern` finds in a case's name.

    `pattern` is a regular expression; its first group is the subject where it has one, else all
    that it finds. Raises UsageError (exit 2) where it is none, or does not fit a name.
    """
    found: dict[str, list[PathPair]] = {}
    for pair in pairing.pairs:
        found.setdefault(subject_in(pair.case, pattern=pattern), []).append(pair)
    return {subject: tuple(pairs) for subject, pairs in sorted(found.items())}


def subject_in(name: str, *, pattern: str) -> str:
    """The subject in a case's name; see `subjects_of`."""
    try:
        match = re.search(pattern, name)
    except re.error as error:
        raise UsageError(
            f"'{pattern}' is no regular expression: {error}.", hint=r"Try --subject '(.+)_\d+'."
        ) from error
    subject = (match[1] if match.re.groups else match[0]) if match else ""
    if not subject:
        raise UsageError(
            f"'{pattern}' finds no subject in {name}.",
            hint=r"It must fit every name; '(.+)_\d+' takes what stands before the last number.",
        )
    return subject


def missing_of(pairing: Pairing, *, pattern: str) -> dict[str, list[str]]:
    """Subject to its images that have no partner; names that don't fit the pattern are no one's."""
    found: dict[str, list[str]] = {}
    for name in sorted({*pairing.only_reference, *pairing.only_prediction}):
        with contextlib.suppress(UsageError):
            found.setdefault(subject_in(name, pattern=pattern), []).append(name)
    return found


def read_pieces(
    pairs: Sequence[PathPair],
    *,
    labels: bool,
    missing: Sequence[str],
    only: Collection[int] = (),
) -> Pieces:
    """Read the pairs of a subject; `missing` names its images without a partner.

    Of label maps the labels in `only` count, all where it is empty.
    """
    images, masks, rules, sized = [], [], [], True
    wrong: dict[str, int] = {}
    said: dict[str, list[tuple[str, Finding]]] = {}
    for pair in pairs:
        reference, prediction = read_pair(pair.reference, pair.prediction, labels=labels, only=only)
        doubts = [
            finding
            for image in (reference, prediction)
            for finding in image.findings
            if finding.severity != Severity.NOTE
        ]
        if labels:
            require_same_grid(
                reference.grid,
                prediction.grid,
                what=named(reference, "The reference"),
                other_what=named(prediction, "the prediction"),
            )
            images.append((as_labels(reference), as_labels(prediction)))
            wrong[pair.case] = int(np.count_nonzero(images[-1][0].data != images[-1][1].data))
        else:
            one = pair_images(reference, prediction)
            rules.append(spoken_rule(one.rule, reference=reference, prediction=prediction))
            differing = one.reference_voxels + one.prediction_voxels - 2 * one.common_voxels
            wrong[pair.case] = differing
            doubts += one.findings
            masks.append(one)
        sized = sized and reference.grid.sized
        for finding in dict.fromkeys(doubts):
            said.setdefault(finding.code, []).append((pair.case, finding))
    findings = [_joined(rows) for rows in said.values()]
    if missing:
        listed = ", ".join(missing[:3]) + (" ..." if len(missing) > 3 else "")
        count = "1 image" if len(missing) == 1 else f"{len(missing)} images"
        verbs = "has no partner and does" if len(missing) == 1 else "have no partner and do"
        what = f"{count} of this subject {verbs} not count: {listed}."
        hint = "Predict every image of a subject, else its scores are of a part."
        findings.append(Finding(MISSING, Severity.WARNING, what, hint))
    rule = "; ".join(dict.fromkeys(part for said in rules for part in said.split("; ")))
    return Pieces(tuple(images), tuple(masks), wrong, tuple(findings), sized, rule)


def _joined(rows: Sequence[tuple[str, Finding]]) -> Finding:
    """One finding of several images."""
    name, first = rows[0]
    more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
    return replace(first, what=f"{first.what} (Image {name}{more}.)")
