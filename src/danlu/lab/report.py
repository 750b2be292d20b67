"""report: runs and studies in one file, with prose, to be read, printed and handed on."""

from collections.abc import Sequence
from pathlib import Path

from danlu.base.errors import Fault, Faults, fail
from danlu.base.files import absolute, replace_file
from danlu.base.input_files import path_kind, read_file
from danlu.base.places import runs_folder, shown, studies_folder
from danlu.base.text_encoding import decode
from danlu.run.run import Run
from danlu.store.run_environment import read_environment
from danlu.store.run_folder import RunFolder
from danlu.store.study_folder import StudyFolder
from danlu.study.study import Study
from danlu.view.info.run import run_info_of
from danlu.view.info.study import study_info_of
from danlu.view.provenance import run_provenance, study_provenance
from danlu.view.report_items import ReportItem
from danlu.view.reported import reported

_ENDINGS = (".html", ".htm")
_MOST_BYTES = 2**20  # of prose


def report(*what: "Run | Study | str | Path", notes: str | Path | None = None, out: str | Path = "report.html") -> Path:
    """Put runs and studies, or their folders, into one HTML file, and give its path.

    It opens without a network, holds both languages, and prints on A4. Each number opens the command, the seeds and the
    hashes that made it. `notes` is a Markdown file: `![curves](first)` on a line of its own is replaced by that picture
    of the run or study in the folder `first`, `![curves](first,second)` by the curves of both, and `[accuracy](first)`
    in a sentence by that number. Without notes the order is question, effects, scores, curves, findings. Raises
    UserError, with all that is wrong, before anything is written; StorageError where the disk refuses.

    >>> import tempfile
    >>> from danlu.run.fit import fit
    >>> place = Path(tempfile.mkdtemp())
    >>> run = fit("softmax-regression", "digits", epochs=1, folder=place / "first", progress=False)
    >>> report(run, out=place / "report.html").name
    'report.html'
    """
    faults, path = Faults(), Path(out)
    if not what:
        faults.add("report.which")
    places: list[Path] = []
    for one in what:
        with faults.gathered():
            places.append(_folder(one))
    real = [place.resolve() for place in places]
    for place in dict.fromkeys(place for place in real if real.count(place) > 1):
        faults.add("report.twice", path=shown(place))
    with faults.gathered():
        _check_out(path)
    text: str | None = None
    with faults.gathered():
        text = None if notes is None else _prose(Path(notes))
    faults.raise_if_any()
    items = _items(places)
    content = reported(items, text, "" if notes is None else str(shown(notes)))
    replace_file(absolute(path), content.encode())
    return path


def _folder(what: object) -> Path:
    """The folder of a run or a study. UserError where it is none of them."""
    if isinstance(what, Run | Study):
        return absolute(what.folder)
    if not isinstance(what, str | Path):
        fail("report.not-one", found=type(what).__name__)
    place = Path(what)
    if StudyFolder(place).is_there:
        if StudyFolder(place).is_search:
            fail("report.search", path=shown(place))
        return absolute(place)
    for parent in (runs_folder(), studies_folder()):
        if path_kind(place) == "missing" and path_kind(parent / place) == "folder":
            fail("report.no-such", path=what, hint=Fault("base.did-you-mean", {"word": parent / place}))
    if path_kind(place) == "missing":
        fail("report.no-such", path=what, hint="")
    return absolute(RunFolder.open(place).path)


def _check_out(path: Path) -> None:
    if path.suffix.lower() not in _ENDINGS:
        fail("report.not-html", path=path)
    if path_kind(path.parent) != "folder":
        fail("report.no-folder", path=path, folder=path.parent)
    if path_kind(path) not in ("file", "missing"):
        fail("report.not-a-file", path=path)


def _prose(path: Path) -> str:
    if path_kind(path) == "missing":
        fail("report.no-notes", path=path)
    content = read_file(path)
    if len(content) > _MOST_BYTES:
        fail("report.long-notes", path=path)
    return decode(content, path).text


def _items(places: Sequence[Path]) -> list[ReportItem]:
    """Each by the name of its folder; where two have one name, by their paths."""
    names = [place.name for place in places]
    return [
        _item(number, name if names.count(name) == 1 else shown(place).as_posix(), place)
        for number, (name, place) in enumerate(zip(names, places, strict=True), 1)
    ]


def _item(number: int, name: str, place: Path) -> ReportItem:
    study = StudyFolder(place)
    if not study.is_there:
        run = run_info_of(RunFolder(place))
        return ReportItem(number, name, run, lambda: run_provenance(run))
    info, design = study_info_of(study), study.read_design()
    around = read_environment(RunFolder(place / info.best.run).environment) if info.best else None
    return ReportItem(number, name, info, lambda: study_provenance(info, design, around or {}))
