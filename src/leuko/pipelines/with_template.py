"""The template's part of the main job, which costs nothing where nobody asked for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from leuko.image.image import Image
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.provenance import Value
from leuko.progress import Journal

if TYPE_CHECKING:
    from leuko.pipelines.result import Result

__all__ = ["asked_of_template", "atlases_for_all", "require_atlases", "with_template"]


def require_atlases(config: SegmentConfig) -> None:
    """Read the atlases that a config names, before anything else is done.

    Raises what `atlas_files.load_atlases` raises.
    """
    if config.atlases or config.atlas_labels:
        from leuko.pipelines.atlas_files import load_atlases

        load_atlases(config.atlases, config.atlas_labels)


def atlases_for_all(config: SegmentConfig) -> SegmentConfig:
    """The config with atlases by their whole paths, as other processes need them; all readable.

    Raises what `require_atlases` raises.
    """
    require_atlases(config)
    return structs.replace(
        config,
        atlases=tuple(str(Path(file).absolute()) for file in config.atlases),
        atlas_labels=tuple(str(Path(file).absolute()) for file in config.atlas_labels),
    )


def asked_of_template(config: SegmentConfig) -> dict[str, Value]:
    """What a config asks of the template, for the record: atlases by name and hash."""
    atlases: str | None = None
    if config.atlases:
        from leuko.pipelines.atlas_files import load_atlases

        loaded = load_atlases(config.atlases, config.atlas_labels)
        atlases = "; ".join(f"{one.name} sha256:{one.sha256[:16]}" for one in loaded)
    return {
        "lobes": config.lobes,
        "mni": config.mni,
        "atlases": atlases,
        "atlas_maps": config.atlas_maps,
    }


def with_template(
    result: Result,
    *,
    image: Image,
    config: SegmentConfig,
    journal: Journal,
    folder: Path | None = None,
) -> Result:
    """The result, with lobes and atlases where the config asks for them; see `lay_on_template`."""
    if not (config.lobes or config.mni or config.atlases):
        return result
    from leuko.pipelines.atlas_files import load_atlases
    from leuko.pipelines.template_space import lay_on_template

    return lay_on_template(
        result,
        image=image,
        atlases=load_atlases(config.atlases, config.atlas_labels),
        folder=folder,
        maps=config.atlas_maps,
        mni=config.mni,
        journal=journal,
    )
