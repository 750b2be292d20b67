"""The folder of one study: study.json, what it varies; journal.jsonl, one record a member; best.toml, what it found."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from danlu.base.errors import StorageError, fail, nearest
from danlu.base.files import TEMPORARY, absolute, discard, make_folder, replace_file, storage_error
from danlu.base.input_files import path_kind
from danlu.base.strict_json import to_json
from danlu.store.run_folder import check_name, entries, missing_folders, standing


@dataclass(frozen=True)
class StudyFolder:
    """Paths inside a study's folder.

    >>> StudyFolder(Path("studies/lenet5-digits")).design.as_posix()
    'studies/lenet5-digits/study.json'
    """

    path: Path

    @property
    def design(self) -> Path:
        return self.path / "study.json"

    @property
    def is_there(self) -> bool:
        """Whether a study lies here, whatever the path may be that a user named."""
        return path_kind(self.design) == "file"

    @property
    def journal(self) -> Path:
        return self.path / "journal.jsonl"

    @property
    def best(self) -> Path:
        return self.path / "best.toml"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    @property
    def refitted(self) -> Path:
        """The run that trained the best recipe once more, on training and validation part."""
        return self.path / "best"

    @property
    def members(self) -> Path:
        """The runs of members that were trained one by one."""
        return self.path / "members"

    @property
    def stacks(self) -> Path:
        """The checkpoints of trainings that are carried out together, as long as they are under way."""
        return self.path / "stacks"

    @property
    def is_search(self) -> bool:
        """Whether it holds a search among numbers rather than a comparison of levels."""
        return "search" in self.read_design()

    @classmethod
    def open(cls, path: Path) -> Self:
        """The study that lies at `path`; UserError where none does."""
        found = standing(path)
        if found == "nothing":
            siblings = entries(path.parent) if standing(path.parent) == "folder" else []
            fail("store.no-such-study", path=path, hint=nearest(path.name, (entry.name for entry in siblings)))
        study = cls(absolute(path))
        if found == "file" or not study.is_there:
            fail("store.not-a-study", path=path)
        return study

    @classmethod
    def make(cls, path: Path, design: dict[str, Any]) -> Self:
        """A new study in `path`, absent or empty; or the one that stands there, if it is of the same design.

        UserError where it is of another.
        """
        found = standing(path)
        if found == "file":
            fail("store.not-a-folder", path=path)
        study = cls(absolute(path))
        if found == "folder" and study.is_there:
            if study.read_design() != json.loads(to_json(design)):
                fail("store.other-study", path=path)
            return study
        # A kill may have left study.json half written, under another name.
        if found == "folder" and {entry.name for entry in entries(path)} - {f"{TEMPORARY}{study.design.name}"}:
            fail("store.not-empty", path=path)
        check_name(study.path.name)
        missing = missing_folders(study.path)
        try:
            make_folder(study.path)
            study.write_design(design)
        except (OSError, StorageError) as error:
            discard(missing)
            if isinstance(error, OSError):
                raise storage_error(study.path, error) from error
            raise
        return study

    def read_design(self) -> dict[str, Any]:
        """What the study varies. UserError where the file is damaged."""
        try:
            return json.loads(self.design.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            fail("store.unreadable", path=self.design, reason=error)

    def write_design(self, design: dict[str, Any]) -> None:
        replace_file(self.design, to_json(design, indent=2).encode() + b"\n")
