"""Finding foreign logs under the paths that a user names, and reading each, all faults together."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from danlu.base.errors import Fault, Faults
from danlu.base.input_files import path_kind
from danlu.store.foreign.csv_log import is_csv_log, read_csv_log
from danlu.store.foreign.event_file import Events, read_events
from danlu.store.foreign.series import CSV, TENSORBOARD, ForeignLog
from danlu.store.foreign.tags import PARTS
from danlu.store.run_folder import RunFolder

_EVENTS = "tfevents"


def read_logs(paths: Sequence[Path]) -> tuple[list[ForeignLog], list[Fault]]:
    """The trainings that were logged in these files, and in folders with all below them; and remarks.

    UserError with all that is wrong: nothing found, damaged or cut files.
    """
    faults, logs, remarks = Faults(), list[ForeignLog](), list[Fault]()
    for path in paths:
        kind = path_kind(path)
        if kind == "missing":
            faults.add("imported.missing", path=path)
            continue
        files = [path] if kind != "folder" else list(_files(path, remarks))
        found = _grouped(files, path if kind == "folder" else path.parent)
        if not found:
            faults.add("imported.nothing" if kind == "folder" else "imported.not-a-log", path=path)
        for name, members in found:
            with faults.gathered():
                logs.append(_read(name, members))
    faults.raise_if_any()
    return logs, [*remarks, *(remark for log in logs for remark in log.remarks)]


def _files(folder: Path, remarks: list[Fault]) -> Iterator[Path]:
    """Event files and CSV logs below a folder, in order; danlu's own runs are none of them. Links are not followed."""
    for place, folders, names in os.walk(folder):
        here = RunFolder(Path(place))
        if here.recipe.is_file() and here.journal.is_file():
            remarks.append(Fault("imported.own-run", {"path": here.path}))
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(place, name)
            if path_kind(path) == "file" and (_EVENTS in name or (name.lower().endswith(".csv") and is_csv_log(path))):
                yield path


def _grouped(files: Iterable[Path], base: Path) -> list[tuple[str, list[tuple[str, Path]]]]:
    """Trainings by name, each with its files and the part of the data that a file is about: event files of one folder
    are of one training, and so are those of its folders train and validation, as Keras has them."""
    groups: defaultdict[Path, list[tuple[str, Path]]] = defaultdict(list)
    for path in files:
        part = PARTS.get(path.parent.name.lower(), "") if _EVENTS in path.name else ""
        if _EVENTS in path.name:
            groups[path.parent.parent if part else path.parent].append((part, path))
        elif path.suffix.lower() == ".csv":
            groups[path].append(("", path))
    return [(_name(place, base), members) for place, members in groups.items()]


def _name(place: Path, base: Path) -> str:
    """What a training is called: the folders on the way to its log, or its file."""
    place, base = place.absolute(), base.absolute()
    inside = place.relative_to(base).parts if place.is_relative_to(base) else ()
    parts = [name for part in inside if (name := part.removesuffix(".csv")) != "metrics"]
    return "-".join([base.name, *parts] if len(parts) < 2 else parts) or base.name or "log"


def _read(name: str, members: Sequence[tuple[str, Path]]) -> ForeignLog:
    faults = Faults()
    source = TENSORBOARD if _EVENTS in members[0][1].name else CSV
    log = ForeignLog(name, source, [str(path) for _, path in members])
    by_part: defaultdict[str, Events] = defaultdict(Events)
    for part, path in members:
        with faults.gathered():
            if source == TENSORBOARD:
                read_events(path, by_part[part])
            else:
                series, remarks = read_csv_log(path)
                log.series.update({("", tag): points for tag, points in series.items()})
                log.remarks += remarks
    faults.raise_if_any()
    for part, events in by_part.items():
        log.series.update({(part, tag): points for tag, points in events.scalars.items() if points})
    if not log.series:
        faults.add("imported.no-numbers", path=members[0][1])
    faults.raise_if_any()
    return log
