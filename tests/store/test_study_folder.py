"""A study's folder that the disk refuses, or that a kill left half made: it can be made again."""

import errno
import itertools
import os
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from danlu.base.errors import StorageError, UserError
from danlu.base.files import TEMPORARY
from danlu.store.study_folder import StudyFolder

DESIGN: dict[str, Any] = {"factors": {"lr": [0.1, 0.2]}, "seeds": [0]}


@pytest.mark.parametrize("operation", ["mkdir", "open", "write", "fsync", "replace"])
def test_a_disk_that_refuses_leaves_nothing(operation: str, tmp_path: Path) -> None:
    real = getattr(os, operation)
    for k in itertools.count(1):
        left = [k]

        def refusing(*arguments: Any, left: list[int] = left, **keywords: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(*arguments, **keywords)

        place = tmp_path / str(k)
        with mock.patch.object(os, operation, refusing):
            try:
                StudyFolder.make(place / "studies" / "s", DESIGN)
            except StorageError as error:
                assert "the disk is full" in str(error)
        if left[0] > 0:
            break
        assert not place.exists() or StudyFolder.open(place / "studies" / "s").read_design() == DESIGN
        assert StudyFolder.make(place / "studies" / "s", DESIGN).read_design() == DESIGN
    assert k > 1


def test_what_a_kill_left_of_the_design_is_no_obstacle(tmp_path: Path) -> None:
    place = tmp_path / "s"
    place.mkdir()
    (place / f"{TEMPORARY}study.json").write_text('{"fac')
    assert StudyFolder.make(place, DESIGN).read_design() == DESIGN
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / f"{TEMPORARY}mine.txt").write_text("mine")
    with pytest.raises(UserError, match="other"):
        StudyFolder.make(tmp_path / "other", DESIGN)
