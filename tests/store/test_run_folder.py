import errno
import fcntl
import itertools
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from danlu.base.errors import StorageError, UserError
from danlu.base.words import use_language
from danlu.store.new_run import NewRun
from danlu.store.run_folder import RunFolder, check_name

RECIPE = '[net]\nname = "lenet5"\n'
ENVIRONMENT = {"torch": "2.13", "处理器": "x86"}


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    use_language("en")
    yield
    use_language(None)


def created(parent: Path, recipe: str = RECIPE) -> RunFolder:
    with NewRun.named(parent, "lenet5-digits", recipe, ENVIRONMENT) as new:
        new.establish()
    return new.place


def created_at(path: Path, environment: dict[str, Any] = ENVIRONMENT) -> RunFolder:
    with NewRun.at(path, RECIPE, environment) as new:
        new.establish()
    return new.place


def test_a_new_run_has_all_its_files(tmp_path: Path) -> None:
    run = created(tmp_path / "new" / "runs")

    assert run.path.parent == tmp_path / "new" / "runs"
    assert run.path.name.startswith("lenet5-digits-") and len(run.path.name) == len("lenet5-digits-3f2a")
    assert sorted(path.name for path in run.path.iterdir()) == [
        "checkpoints", "environment.json", "journal.jsonl", "recipe.toml",
    ]  # fmt: skip
    assert run.recipe.read_text(encoding="utf-8") == RECIPE
    assert json.loads(run.environment.read_text(encoding="utf-8")) == ENVIRONMENT
    assert RunFolder.open(run.path) == run


def test_a_name_taken_gets_a_number(tmp_path: Path) -> None:
    names = [created(tmp_path).path.name for _ in range(3)]

    assert names == [names[0], f"{names[0]}-2", f"{names[0]}-3"]
    other = created(tmp_path, RECIPE + "activation = 'relu'\n")
    assert other.path.name not in names and len(other.path.name) == len(names[0])


def test_many_at_once_each_get_a_folder_of_their_own(tmp_path: Path) -> None:
    found: list[RunFolder] = []
    threads = [threading.Thread(target=lambda: found.append(created(tmp_path / "runs"))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({run.path for run in found}) == 12
    assert all(RunFolder.open(run.path) for run in found)


@pytest.mark.parametrize("there", ["absent", "empty", "absent below absent"])
def test_a_run_can_be_made_at_a_path(tmp_path: Path, there: str) -> None:
    path = tmp_path / "mine" if there != "absent below absent" else tmp_path / "one" / "two"
    if there == "empty":
        path.mkdir()

    run = created_at(path)

    assert run.path == path and RunFolder.open(path) == run


def test_a_run_is_never_made_over_another(tmp_path: Path) -> None:
    run = created(tmp_path)
    run.journal.write_text("{}\n")

    with pytest.raises(
        UserError, match=r"there is a run in this folder already\. Go on with it .*or choose another folder"
    ) as caught:
        NewRun.at(run.path, "other", {})

    assert run.recipe.read_text() == RECIPE and run.journal.read_text() == "{}\n"
    use_language("zh")
    assert "里面已有一次训练" in str(caught.value)


def test_a_run_is_never_made_among_other_files(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("…")
    with pytest.raises(UserError, match="the folder is not empty"):
        created_at(tmp_path)
    with pytest.raises(UserError, match="this is a file; the folder of a run is wanted"):
        created_at(tmp_path / "thesis.tex")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_where_a_file_stands_for_the_parent_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("no folder")
    with pytest.raises(StorageError, match="the disk refused to write"):
        created(tmp_path / "runs")


def test_of_two_that_found_the_folder_empty_one_gets_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine"
    flock = fcntl.flock

    def beaten(*arguments: Any) -> None:
        monkeypatch.setattr(fcntl, "flock", flock)
        created_at(path, {"first": True})
        flock(*arguments)

    monkeypatch.setattr(fcntl, "flock", beaten)
    with pytest.raises(UserError, match="there is a run in this folder already"):
        created_at(path, {"first": False})

    assert json.loads(RunFolder.open(path).environment.read_text()) == {"first": True}


def test_nobody_else_touches_a_folder_that_is_being_filled(tmp_path: Path) -> None:
    with NewRun.at(tmp_path / "mine", RECIPE, {"first": True}) as new:
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(UserError, match="by another process right now"):
            NewRun.at(tmp_path / "mine", RECIPE, {"first": False})
        assert sorted(tmp_path.rglob("*")) == before
        assert json.loads(new.place.environment.read_text()) == {"first": True}
        new.establish()
    assert RunFolder.open(tmp_path / "mine")


def test_a_folder_given_up_at_this_very_moment_is_not_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "mine"
    place.mkdir()
    (place / "journal.jsonl").touch()
    flock = fcntl.flock

    def given_up(*arguments: Any) -> None:
        (place / "journal.jsonl").unlink()
        flock(*arguments)

    monkeypatch.setattr(fcntl, "flock", given_up)
    with pytest.raises(UserError, match="by another process right now"):
        NewRun.at(place, RECIPE, ENVIRONMENT)
    assert list(place.iterdir()) == []


def test_left_before_it_is_established_nothing_stays(tmp_path: Path) -> None:
    with NewRun.at(tmp_path / "runs" / "mine", RECIPE, ENVIRONMENT) as new:
        (new.place.checkpoints / "step-00000000").mkdir()
        (new.place.checkpoints / "step-00000000" / "manifest.json").write_text("{}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES], ids=["ENOSPC", "EACCES"])
@pytest.mark.parametrize("operation", ["open", "write", "fsync", "replace", "mkdir"])
@pytest.mark.parametrize("there", ["absent", "empty"])
def test_nothing_is_left_of_a_run_that_could_not_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: str, code: int, there: str
) -> None:
    for k in itertools.count(1):
        parent = tmp_path / str(k)
        parent.mkdir()
        path = parent / ("one" if there == "empty" else "one/two")
        if there == "empty":
            path.mkdir()
        before = sorted(parent.rglob("*"))
        left = [k]
        real = getattr(os, operation)

        def failing(*arguments: Any, left: list[int] = left, real: Any = real, **keywords: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                raise OSError(code, os.strerror(code))
            return real(*arguments, **keywords)

        with monkeypatch.context() as patch:
            patch.setattr(os, operation, failing)
            try:
                created_at(path)
            except StorageError as error:
                assert str(path) in str(error)
                assert ("the disk is full" if code == errno.ENOSPC else "may not write there") in str(error)
        if left[0] > 0:
            break
        assert sorted(parent.rglob("*")) == before, f"{operation} {k}"
        created_at(path)
    assert k > 1
    RunFolder.open(path)


def test_an_interrupt_leaves_nothing_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt("now")

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt, match="now"):
        created(tmp_path / "runs")
    assert [path.name for path in tmp_path.rglob("*")] == []


def test_what_is_no_run_is_told_with_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"empty: this is not a run folder; it lacks recipe\.toml, journal\.jsonl\.$"):
        RunFolder.open(tmp_path / "empty")
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(UserError, match=r"notes\.txt: this is a file; the folder of a run is wanted"):
        RunFolder.open(tmp_path / "notes.txt")
    run = created(tmp_path / "runs")
    run.journal.unlink()
    with pytest.raises(UserError, match=r"it lacks journal\.jsonl\.$"):
        RunFolder.open(run.path)


def test_a_folder_of_runs_is_told_with_the_runs(tmp_path: Path) -> None:
    name = created(tmp_path).path.name
    with pytest.raises(UserError, match=rf"journal\.jsonl\. Runs lie inside it: {name}\.") as caught:
        RunFolder.open(tmp_path)
    use_language("zh")
    assert str(caught.value).endswith(f"不是训练文件夹，缺少 recipe.toml, journal.jsonl。其中有这些训练：{name}。")


def test_a_run_misspelt_is_told_with_the_nearest(tmp_path: Path) -> None:
    name = created(tmp_path).path.name
    with pytest.raises(UserError, match=rf'there is no such run folder\. Did you mean "{name}"\?'):
        RunFolder.open(tmp_path / name.replace("lenet", "lnet"))
    with pytest.raises(UserError, match=r"absent/run: there is no such run folder\.$"):
        RunFolder.open(tmp_path / "absent" / "run")


def test_a_path_that_the_system_refuses_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read .File name too long"):
        RunFolder.open(tmp_path / ("x" * 300))
    with pytest.raises(UserError, match="cannot be read .File name too long"):
        created_at(tmp_path / ("x" * 300))
    with pytest.raises(UserError, match="there is no such run folder"):
        RunFolder.open(tmp_path / "a\0b")


@pytest.mark.parametrize("name", ["lenet5-mnist", "炼丹-1", "Ünï cödé", "a", "x" * 100, "v1.2", "CONSOLE", "-x_(1)+,~"])
def test_good_names_pass(name: str, tmp_path: Path) -> None:
    check_name(name)
    (tmp_path / name).mkdir()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "may not be empty"),
        ("  ", "may not be empty"),
        (".", "begins or ends with a dot"),
        ("..", "begins or ends with a dot"),
        (".tmp-run", "begins or ends with a dot"),
        ("run.", "begins or ends with a dot"),
        ("run ", "begins or ends with a dot or a space"),
        ("../up", r"holds /"),
        ("a/b", r"holds /"),
        ("a\\b", r"holds \\"),
        ("C:run", "holds :"),
        ("what?*", r"holds \* \?"),
        ("a\nb", r"'a\\nb' holds \\n"),
        ("a\0b", r"holds \\x00"),
        ("a\x7fb", r"holds \\x7f"),
        ("a\u202eb", r"holds \\u202e"),
        ("a\ud800b", r"holds \\ud800"),
        ("con", "is reserved by Windows"),
        ("NUL.txt", "is reserved by Windows"),
        ("lpt9", "is reserved by Windows"),
        ("x" * 101, "has 101 characters: at most 100"),
        ("炉" * 90, "has 90 characters: at most 100 .200 bytes"),
    ],
)
def test_bad_names_are_told(name: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=told):
        check_name(name)
    with pytest.raises(UserError, match=told):
        NewRun.named(tmp_path / "runs", name, RECIPE, ENVIRONMENT)
    assert list(tmp_path.iterdir()) == []
    use_language("zh")
    with pytest.raises(UserError, match="训练名称"):
        check_name(name)


def test_all_that_is_wrong_with_a_name_is_told_at_once() -> None:
    with pytest.raises(UserError, match="holds /(?s:.)*has 151 characters"):
        check_name("../" + "x" * 148)
    with pytest.raises(UserError, match="begins or ends(?s:.)*has 101 characters"):
        check_name("." + "x" * 100)


LEFT_BEHIND = (
    "journal.jsonl",
    "checkpoints/",
    "environment.json",
    "checkpoints/.tmp-step-00000000/weights.safetensors",
    "checkpoints/step-00000000/manifest.json",
    ".tmp-recipe.toml",
)


@pytest.mark.parametrize("made", range(len(LEFT_BEHIND) + 1))
def test_a_creation_that_was_killed_half_way_does_not_bar_the_next(tmp_path: Path, made: int) -> None:
    place = tmp_path / "run"
    place.mkdir()
    for name in LEFT_BEHIND[:made]:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            (place / name).mkdir()
        else:
            (place / name).write_bytes(b"" if name == "journal.jsonl" else b"half")

    run = created_at(place)

    assert run.recipe.read_text(encoding="utf-8") == RECIPE
    assert list(run.checkpoints.iterdir()) == []
    assert not (place / ".tmp-recipe.toml").exists()


def test_a_file_of_the_users_is_never_taken_for_danlus(tmp_path: Path) -> None:
    (tmp_path / "environment.json").write_text("mine")
    with pytest.raises(UserError, match="not empty"):
        created_at(tmp_path)
    assert (tmp_path / "environment.json").read_text() == "mine"


def test_a_folder_with_a_journal_or_checkpoints_is_not_taken_for_empty(tmp_path: Path) -> None:
    for number, (name, content) in enumerate(
        [("journal.jsonl", b"{}\n"), ("checkpoints/step-00000001/a", b"1"), ("checkpoints/mine", b"1")]
    ):
        file = tmp_path / str(number) / name
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
        with pytest.raises(UserError, match="not empty"):
            created_at(tmp_path / str(number))
        assert file.read_bytes() == content
