"""register.json: how one scan came into the space of another, and how well."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

from leuko.image.image import Image
from leuko.pipelines.provenance import name_of, program_version, sha_of
from leuko.pipelines.register import Registration
from leuko.registration.transforms import Affine, Composite, Transform

__all__ = ["REGISTER_JSON", "to_json"]

REGISTER_JSON = "register.json"


def to_json(
    done: Registration, fixed: Image, moving: Image, *, began: str, interpolation: str
) -> str:
    """What register.json holds."""
    settings = None if done.settings is None else asdict(done.settings)
    found = None if done.fit is None else done.fit.features
    content: dict[str, Any] = {
        "quality": None if done.quality is None else asdict(done.quality),
        "findings": [
            {"code": f.code, "severity": f.severity.value, "what": f.what, "hint": f.hint}
            for f in done.findings
        ],
        "transform": _summary(done.transform),
        "features": None
        if found is None
        else {
            "matches": found.matches,
            "inliers": found.inliers,
            "residual": found.residual_mm,
            "homography": None if found.homography is None else found.homography.tolist(),
        },
        "trace": [
            {"step_mm": level.step_mm, "stage": level.stage, "costs": list(level.costs)}
            for level in done.trace
        ],
        "steps": [{"name": step.name, "seconds": step.seconds} for step in done.steps],
        "provenance": {
            "program": "leuko",
            "version": program_version(),
            "time": began,
            "fixed_name": name_of(fixed.source),
            "fixed_sha256": sha_of(fixed.source),
            "moving_name": name_of(moving.source),
            "moving_sha256": sha_of(moving.source),
            "parameters": {"interpolation": interpolation, "registered": settings},
        },
    }
    return json.dumps(_finite(content), indent=2) + "\n"


def _summary(transform: Transform) -> dict[str, Any]:
    """What a reader wants to know without opening the transform's file."""
    parts = transform.parts if isinstance(transform, Composite) else (transform,)
    linear = [part for part in parts if isinstance(part, Affine)]
    summary: dict[str, Any] = {
        "maps": "fixed to moving, RAS, mm",
        "parts": [type(part).__name__.lower() for part in parts],
    }
    if len(linear) == 1:
        summary |= {
            "matrix": linear[0].matrix.tolist(),
            "angle_degrees": linear[0].angle_degrees,
            "rigid": linear[0].is_rigid,
        }
    return summary


def _finite(value: Any) -> Any:
    """Numbers that JSON does not know as null."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
