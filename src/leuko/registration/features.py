"""Registration of 2D pictures by points that look alike: SIFT or ORB, and RANSAC.

SURF is patented and in no free build of OpenCV, so it is not offered. Needs `leuko[features]`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from leuko.errors import MissingExtra, UnusableInput
from leuko.image.image import Image
from leuko.registration.transforms import Affine

__all__ = ["FEATURE_METHODS", "FeatureFit", "FeatureMethod", "FeatureModel", "fit_features"]

FeatureMethod = Literal["sift", "orb"]
FeatureModel = Literal["similarity", "affine", "homography"]
FEATURE_METHODS: tuple[FeatureMethod, ...] = ("sift", "orb")

RATIO = 0.8  # the best match must be this much better than the second (Lowe 2004)
RANSAC_PIXELS = 3.0
CONFIDENCE = 0.999
MOST_FEATURES = 4000
FEWEST_MATCHES = 6
SHORT_SIDE = 64  # pictures are enlarged to this: descriptors need room
SEED = 1


@dataclass(frozen=True, slots=True)
class FeatureFit:
    """The map, how many points matched, how many of these agreed with it, how well (mm)."""

    transform: Affine
    matches: int
    inliers: int
    residual_mm: float
    homography: npt.NDArray[np.float64] | None = None
    """3x3, fixed to moving pixel indexes, where one was asked for; `transform` is its affine part
    at the picture's middle."""


def fit_features(
    fixed: Image,
    moving: Image,
    *,
    method: FeatureMethod = "sift",
    model: FeatureModel = "similarity",
) -> FeatureFit:
    """Match two single slices or pictures by their features.

    `similarity` turns, shifts and scales alike; `affine` shears, too; `homography` is for
    photographs of a plane. Raises UnusableInput (exit 4) for volumes and where too few points
    match, MissingExtra (exit 9) without OpenCV.
    """
    cv2 = _opencv()
    pictures = [_picture(image) for image in (fixed, moving)]
    found = [_described(cv2, pixels, method, scale) for pixels, scale in pictures]
    pairs = _matched(cv2, found, method)
    if len(pairs) < FEWEST_MATCHES:
        raise _too_few(len(pairs))
    source = np.array([found[0][0][a] for a, _ in pairs], dtype=np.float64)
    target = np.array([found[1][0][b] for _, b in pairs], dtype=np.float64)
    cv2.setRNGSeed(SEED)
    options = {"ransacReprojThreshold": RANSAC_PIXELS, "confidence": CONFIDENCE, "maxIters": 5000}
    if model == "homography":
        plane, kept = cv2.findHomography(
            source, target, cv2.RANSAC, RANSAC_PIXELS, None, 5000, CONFIDENCE
        )
    else:
        estimate = cv2.estimateAffinePartial2D if model == "similarity" else cv2.estimateAffine2D
        two, kept = estimate(source, target, method=cv2.RANSAC, **options)
        plane = None if two is None else np.vstack([two, (0.0, 0.0, 1.0)])
    inliers = 0 if kept is None else int(np.count_nonzero(kept))
    if plane is None or inliers < FEWEST_MATCHES:
        raise _too_few(inliers)
    inside = kept.ravel().astype(bool)
    reached = _mapped(plane, source[inside])
    pixel = float(np.mean(moving.grid.spacing[:2]))
    residual = float(np.linalg.norm(reached - target[inside], axis=1).mean()) * pixel
    linear = plane if model != "homography" else _tangent(plane, np.array(fixed.grid.shape[:2]) / 2)
    return FeatureFit(
        _in_world(linear, fixed, moving),
        len(pairs),
        inliers,
        residual,
        np.asarray(plane) if model == "homography" else None,
    )


def _opencv() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise MissingExtra.needed(
            "Registration by features", extra="features", modules=["opencv-python-headless"]
        ) from error
    return cv2


def _picture(image: Image) -> tuple[npt.NDArray[np.uint8], float]:
    """Grey values 0..255, first axis downwards, and how much it was enlarged."""
    if image.grid.shape[2] != 1 or image.volumes > 1:
        raise UnusableInput(
            "Features are for pictures and single slices; this is a volume.",
            hint="Use --method rigid or affine for volumes.",
        )
    values = image.data.reshape(image.grid.shape[:2]).astype(np.float32)
    low, high = (float(v) for v in np.percentile(values, (0.5, 99.5)))
    grey = np.clip((values - low) / max(high - low, 1e-6) * 255, 0, 255).astype(np.uint8)
    scale = max(1.0, SHORT_SIDE / min(grey.shape))
    return grey, float(np.ceil(scale))


def _described(
    cv2: Any, grey: npt.NDArray[np.uint8], method: FeatureMethod, scale: float
) -> tuple[npt.NDArray[np.float64], Any]:
    """Feature points as pixel indexes (axis 0, axis 1), and their descriptors."""
    if scale > 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    if method == "sift":
        finder = cv2.SIFT_create(nfeatures=MOST_FEATURES, contrastThreshold=0.02)
    else:
        finder = cv2.ORB_create(nfeatures=MOST_FEATURES, fastThreshold=8)
    points, descriptors = finder.detectAndCompute(grey, None)
    # OpenCV's x runs along the second axis.
    where = np.array([(p.pt[1], p.pt[0]) for p in points], dtype=np.float64).reshape(-1, 2)
    return (where + 0.5) / scale - 0.5, descriptors


def _matched(cv2: Any, found: list[Any], method: FeatureMethod) -> list[tuple[int, int]]:
    if any(one[1] is None or len(one[1]) < 2 for one in found):
        return []
    norm = cv2.NORM_L2 if method == "sift" else cv2.NORM_HAMMING
    nearest = cv2.BFMatcher(norm).knnMatch(found[0][1], found[1][1], k=2)
    return [
        (two[0].queryIdx, two[0].trainIdx)
        for two in nearest
        if len(two) == 2 and two[0].distance < RATIO * two[1].distance
    ]


def _mapped(
    plane: npt.NDArray[np.float64], points: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    full = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ plane.T
    return np.asarray(full[:, :2] / full[:, 2:])


def _tangent(
    plane: npt.NDArray[np.float64], middle: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """The affine map that a homography is around a point."""
    around = middle + np.array([(0, 0), (1, 0), (0, 1)])
    reached = _mapped(plane, around)
    matrix = np.eye(3)
    matrix[:2, :2] = np.stack([reached[1] - reached[0], reached[2] - reached[0]], axis=1)
    matrix[:2, 2] = reached[0] - matrix[:2, :2] @ middle
    return matrix


def _in_world(plane: npt.NDArray[np.float64], fixed: Image, moving: Image) -> Affine:
    """A map of pixel indexes (3x3) as a map of world points."""
    index = np.eye(4)
    index[:2, :2] = plane[:2, :2]
    index[:2, 3] = plane[:2, 2]
    index[2, 2] = np.sqrt(abs(np.linalg.det(plane[:2, :2])))
    matrix = moving.grid.affine @ index @ np.linalg.inv(fixed.grid.affine)
    matrix[3] = (0, 0, 0, 1)
    return Affine(matrix)


def _too_few(count: int) -> UnusableInput:
    return UnusableInput(
        f"Only {count} points of the two pictures match: they cannot be registered by features.",
        hint="Use --method rigid or affine, which compare all pixels.",
    )
