"""Errors are put into words when they are shown, all faults at once."""

import pytest

from danlu.base.errors import DanluError, Fault, Faults, StorageError, UserError, fail, nearest
from danlu.base.words import use_language


def test_fail_raises_one_fault_with_its_values() -> None:
    with pytest.raises(UserError, match=r"^lenet\.toml: there is no such recipe file\.$") as caught:
        fail("recipe.missing-file", path="lenet.toml")
    assert caught.value.faults == (Fault("recipe.missing-file", {"path": "lenet.toml"}),)


def test_an_error_speaks_the_language_in_force_when_it_is_shown() -> None:
    error = UserError(Fault("recipe.missing-file", {"path": "a.toml"}))
    assert str(error) == "a.toml: there is no such recipe file."
    use_language("zh")
    assert str(error) == "a.toml：找不到这个配方文件。"


def test_a_fault_may_hold_faults() -> None:
    place = Fault("recipe.place-line", {"path": "a.toml", "line": 3})
    fault = Fault("recipe.unknown-key", {"place": place, "key": "optim.lrr", "hint": nearest("lrr", ["lr"])})
    assert str(fault) == 'a.toml, line 3: there is no setting called optim.lrr. Did you mean "lr"?'
    use_language("zh")
    assert str(fault) == 'a.toml 第 3 行：没有 optim.lrr 这项设置。您是不是想写 "lr"？'


def test_all_faults_are_told_one_a_line() -> None:
    faults = Faults()
    faults.add("recipe.missing-file", path="a.toml")
    faults.add("files.no-space", path="runs")
    assert len(faults) == 2
    with pytest.raises(UserError, match=r"(?s)a\.toml.*\n.*runs: the disk is full"):
        faults.raise_if_any()


def test_no_fault_raises_nothing() -> None:
    faults = Faults()
    faults.raise_if_any()
    assert len(faults) == 0


@pytest.mark.parametrize(("kind", "code"), [(DanluError, 1), (UserError, 2), (StorageError, 2)])
def test_exit_codes(kind: type[DanluError], code: int) -> None:
    assert kind.exit_code == code
    assert issubclass(kind, DanluError)


@pytest.mark.parametrize(
    ("word", "found"),
    [("activaton", "activation"), ("Hiden", "hidden"), ("hidden", "hidden"), ("zzz", None), ("", None)],
)
def test_nearest_names_the_closest_or_nothing(word: str, found: str | None) -> None:
    hint = nearest(word, ["activation", "hidden"])
    assert hint == ("" if found is None else Fault("base.did-you-mean", {"word": found}))
