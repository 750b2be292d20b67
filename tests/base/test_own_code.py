"""How code of the user's own is named, and whose line failed."""

from pathlib import Path

import pytest

from danlu.base.own_code import failing_line, file_and_maker, note_run, short_name


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("nets.py:Net", ("nets.py", "Net")),
        ("C:\\nets\\my.py:Net", ("C:\\nets\\my.py", "Net")),
        ("a:b.py", ("a:b.py", "")),
        ("nets.py:", ("nets.py", "")),
        ("nets.pyc:Net", None),
        ("mlp", None),
        (".py:Net", None),
        (3, None),
    ],
)
def test_a_name(name: object, found: tuple[str, str] | None) -> None:
    assert file_and_maker(name) == found


def test_only_the_users_own_lines_are_theirs(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    names: dict[str, object] = {}
    exec(compile("def f(g):\n    return g()\n", str(path), "exec"), names)
    caught = {}
    for noted in (False, True):
        if noted:
            note_run(path)
        with pytest.raises(ZeroDivisionError, match="division") as error:
            names["f"](lambda: 1 / 0)  # pyright: ignore[reportCallIssue]
        caught[noted] = failing_line(error.value)
    assert caught == {False: None, True: (str(path), 2)}
    assert short_name(f"{path}:Net") == "mine.py:Net"
