"""The main job as a BIDS-App: derivatives of every FLAIR of a BIDS data set.

Gorgolewski et al. 2017, BIDS apps: improving ease of use, accessibility, and reproducibility of
neuroimaging data analysis methods.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from msgspec import structs

from leuko.errors import LeukoError, SafetyRefusal, UsageError, WriteError
from leuko.pipelines.bids_files import (
    IGNORED,
    RAW,
    asked_files,
    bids_files,
    failure_of,
    record_of,
)
from leuko.pipelines.bids_names import BidsName, parsed
from leuko.pipelines.case import Case
from leuko.pipelines.cases_bids import DESCRIPTION
from leuko.pipelines.cohort import Outcome, worked
from leuko.pipelines.cohort_table import Place
from leuko.pipelines.cohort_work import kept
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import Model, checked, load_model
from leuko.pipelines.our_files import PROGRAM
from leuko.pipelines.outputs import write_whole, writing
from leuko.pipelines.provenance import program_version
from leuko.pipelines.segment import expected, segment_case
from leuko.pipelines.segment_cohort import config_of, weights_for_all, work_for
from leuko.pipelines.statistics import Statistics
from leuko.pipelines.with_template import atlases_for_all

__all__ = ["BidsJob", "bids_participants", "place_of", "prepare_derivatives", "root_of"]

VERSION = "1.10.0"  # of the specification
ASIDE = ".leuko-work"


@dataclass(frozen=True, slots=True, kw_only=True)
class BidsJob:
    """`segment_case` of a scan, its files under their BIDS names in OUT/sub-*/[ses-*/]anat."""

    root: Path
    out: Path
    config: SegmentConfig
    weights: Path | str | None = None

    def load(self, *, threads: int | None = None) -> Model:
        """The model of the config, from `weights`."""
        return load_model(self.config, weights=self.weights, threads=threads)

    def keep(self, case: Case, *, model: Model) -> Statistics | None:
        """The numbers of an equal run: same version, weights, parameters and content of inputs."""
        place = self.place(case)
        if not place.record.is_file():
            return None
        wanted = expected(case, config=config_of(case, self.config), model=model)
        return None if wanted is None else kept(place, wanted=wanted)

    def run(self, case: Case, *, model: Model) -> Statistics:
        """Segment the case beside its place, then move its files there, the record last."""
        name, place = _name(case), self.place(case)
        aside = self.out / ASIDE / name.stem()
        failed = place.record.with_name(failure_of(name))
        try:
            found = segment_case(
                case, out=aside, config=config_of(case, self.config), t1=case.t1, model=model
            )
            with writing(place.record.name):
                self._put(aside, place, case=case, name=name)
                failed.unlink(missing_ok=True)
        except LeukoError as error:
            with writing(failed.name):
                failed.parent.mkdir(parents=True, exist_ok=True)
                why = {"what": error.what, "hint": error.hint, "exit_code": error.exit_code}
                write_whole(failed, (json.dumps(why, indent=2) + "\n").encode())
            raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        return found

    def place(self, case: Case) -> Place:
        """Where the record of a case, its report and its preview are."""
        return place_of(_name(case), out=self.out)

    def _put(self, aside: Path, place: Place, *, case: Case, name: BidsName) -> None:
        """A scan without its record does not count as done: it goes first and comes last.

        What an earlier run was asked for and this one is not, goes as well.
        """
        folder = place.record.parent
        folder.mkdir(parents=True, exist_ok=True)
        place.record.unlink(missing_ok=True)
        source = case.path.relative_to(self.root).as_posix()
        files = list(bids_files(aside, name=name, source=source))
        for stale in asked_files(folder, name=name) - {file.name for file in files}:
            (folder / stale).unlink(missing_ok=True)
        for file in files:
            if file.source is None:
                write_whole(folder / file.name, file.content)
            else:
                file.source.replace(folder / file.name)


def bids_participants(
    cases: Sequence[Case],
    *,
    root: Path,
    out: Path,
    config: SegmentConfig | None = None,
    weights: Path | str | None = None,
    jobs: int = 1,
    scheduler: str = "",
    model: Model | None = None,
    watch: Callable[[Outcome], None] = lambda outcome: None,  # noqa: ARG005
) -> tuple[Outcome, ...]:
    """Segment the FLAIRs that `cases_bids` found in `root` into derivatives in `out`.

    Several such calls, each for some of the subjects, may write into one `out` at the same time.
    The probability map is always written. Finished scans are kept, as in `segment_cohort`. Raises
    WriteError (exit 6) where `out` is another data set, SafetyRefusal (exit 5) where it is `root`;
    what is wrong with an atlas, before any scan.
    """
    chosen = atlases_for_all(checked(config or SegmentConfig()))
    chosen = structs.replace(chosen, probability=True)
    root, out = root.absolute(), out.absolute()
    prepare_derivatives(out, root=root)
    job = BidsJob(root=root, out=out, config=chosen, weights=weights_for_all(weights))
    work = work_for(jobs=jobs, scheduler=scheduler, model=model)
    try:
        return worked(cases, job=job, work=work, watch=watch)
    finally:
        with suppress(OSError):  # another call may still be at work there
            (out / ASIDE).rmdir()


def root_of(cases: Sequence[Case]) -> Path:
    """The data set that scans lie in: the nearest folder with a description, else their own.

    Raises UsageError (exit 2) where a scan is not named by BIDS.
    """
    wrong = next((case for case in cases if case.visit or parsed(case.path) is None), None)
    if wrong is not None:
        raise UsageError(
            f"{wrong.path.name} is not named by BIDS, and says of no participant.",
            hint="Names look like sub-01_FLAIR.nii.gz; leave out --bids for other files.",
        )
    folder = Path(os.path.commonpath([case.path.parent for case in cases]))
    homes = (folder, *folder.parents)
    return next((home for home in homes if (home / DESCRIPTION).is_file()), folder)


def prepare_derivatives(out: Path, *, root: Path) -> None:
    """Make `out` a data set of derivatives of `root`: its description, README and .bidsignore."""
    if out.exists() and root.exists() and out.samefile(root):
        raise SafetyRefusal(
            "The results would be written among the scans themselves.",
            hint="Choose another folder, such as derivatives/leuko in the data set.",
        )
    described = out / DESCRIPTION
    if out.exists() and any(out.iterdir()) and not _is_ours(described):
        raise WriteError(
            f"The folder {out.name} is there already and holds something else.",
            hint="Choose another folder.",
        )
    with writing(out.name):
        out.mkdir(parents=True, exist_ok=True)
        write_whole(out / ".bidsignore", ("\n".join(IGNORED) + "\n").encode())
        write_whole(out / "README.md", README.encode())
        write_whole(described, _description(out, root=root))


def place_of(name: BidsName, *, out: Path) -> Place:
    """Where the files of the scan of that name are."""
    folder = out / name.folder()
    stem = name.stem()
    return Place(
        folder / record_of(name),
        folder / f"{stem}_desc-wmh_report.html",
        folder / f"{stem}_desc-wmh_preview.png",
    )


def _name(case: Case) -> BidsName:
    name = parsed(case.path)
    assert name is not None, "cases_bids finds only what is named by BIDS"
    return name


def _is_ours(described: Path) -> bool:
    try:
        made = json.loads(described.read_bytes())["GeneratedBy"]
        return any(one.get("Name") == PROGRAM for one in made)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _description(out: Path, *, root: Path) -> bytes:
    try:
        raw = json.loads((root / DESCRIPTION).read_bytes())
    except (OSError, ValueError):
        raw = {}
    content = {
        "Name": f"White matter hyperintensities of {raw.get('Name') or root.name}",
        "BIDSVersion": VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [
            {
                "Name": PROGRAM,
                "Version": program_version(),
                "Description": "White matter hyperintensities of FLAIR scans, their numbers and a "
                "report.",
            }
        ],
        "DatasetLinks": {RAW: Path(os.path.relpath(root, out)).as_posix()},
        **{key: raw[key] for key in ("License", "DatasetDOI") if isinstance(raw.get(key), str)},
    }
    if isinstance(raw.get("DatasetDOI"), str):
        content["SourceDatasets"] = [{"DOI": content.pop("DatasetDOI")}]
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


README = """\
# White matter hyperintensities

Made by leuko from the FLAIR scans of the data set that dataset_description.json links to. Research
use only, not a medical device.

Of each scan, in sub-*/[ses-*/]anat:

- `*_label-WMH_mask.nii.gz`: the mask; `*_label-WMH_probseg.nii.gz`: probabilities
- `*_seg-lesions_dseg.nii.gz`: a value for each lesion, with a table of them (`.tsv`)
- `*_seg-anatomy_dseg.nii.gz`: tissues, with their names (`.tsv`)
- `*_space-MNI152NLin2009aSym_label-WMH_mask.nii.gz`: the mask in MNI space, where it was asked for,
  and `*_from-FLAIR_to-MNI152NLin2009aSym_mode-image_xfm.h5`: the way there, for ITK and ANTs
- `*_desc-wmh_stats.json`: every number, what was noticed, and how it was made
- `*_desc-wmh_report.html`, `.pdf`, `*_desc-wmh_preview.png`: the report
- `*_desc-wmh_failure.json`: why a scan could not be segmented

`leuko bids BIDS OUT group` adds `phenotype/wmh.tsv`, a row a scan, and `cohort.html`, a page.
"""
