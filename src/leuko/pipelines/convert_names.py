"""Names of converted files, from those of their sources and the keys of DICOM stacks."""

from __future__ import annotations

from leuko.formats.registry import FORMATS

__all__ = ["safe_name", "stem"]


def stem(name: str) -> str:
    """A file name without the suffixes of its format."""
    known = {s for record in FORMATS.values() for s in (*record.suffixes, *record.written)}
    packed = sorted({*known, *(f"{suffix}.gz" for suffix in known)}, key=len, reverse=True)
    for suffix in packed:
        if name.lower().endswith(suffix.lower()) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return name


def safe_name(key: str) -> str:
    """A key as a file name: no folders, nothing hidden."""
    clean = "".join(c if c.isalnum() or c in "-_.+ " else "_" for c in key).strip(" .")
    return clean[:120] or "image"
