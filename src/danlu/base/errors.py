"""Errors a person can act on: every fault is a phrase with its values, and all faults are told at once."""

import contextlib
import difflib
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from danlu.base.words import say


@dataclass(frozen=True)
class Fault:
    """Something to say to the user: the id of a phrase in both catalogues, and the values for its placeholders.

    It is put into words only when shown; a value may itself be a Fault (a place, a hint).
    """

    id: str
    values: dict[str, Any] = field(default_factory=dict[str, Any])

    def __str__(self) -> str:
        return say(self.id, **self.values)


class DanluError(Exception):
    """Base of danlu's own errors. Its text is spoken in the language in force when it is shown."""

    exit_code = 1

    def __init__(self, *faults: Fault) -> None:
        super().__init__(*faults)
        self.faults = faults

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)


class UserError(DanluError):
    """A mistake in what the user gave (recipe, data, file, command line); the command line exits with 2."""

    exit_code = 2


class DataWarning(UserWarning):
    """An answer is not to be relied on: its samples are unlike those trained on, or newer weights were damaged."""


class StorageError(UserError):
    """The disk refused (full, not writable); what stood there before is untouched."""


class FolderGoneError(StorageError):
    """The folder that results were written to has been deleted, moved or replaced meanwhile."""


def fail(id: str, **values: Any) -> NoReturn:
    """Raise a UserError with one fault.

    >>> fail("recipe.missing-file", path="lenet.toml")
    Traceback (most recent call last):
    danlu.base.errors.UserError: lenet.toml: there is no such recipe file.
    """
    raise UserError(Fault(id, values))


class Faults:
    """Collects faults so that a user hears of all of them together.

    >>> faults = Faults()
    >>> faults.raise_if_any()
    """

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, id: str, **values: Any) -> None:
        self._faults.append(Fault(id, values))

    @contextlib.contextmanager
    def gathered(self) -> Generator[None]:
        """Run a block that may raise a UserError: its faults join these.

        >>> faults = Faults()
        >>> with faults.gathered():
        ...     fail("recipe.missing-file", path="lenet.toml")
        >>> len(faults)
        1
        """
        try:
            yield
        except StorageError:
            raise
        except UserError as error:
            self._faults += error.faults

    def __len__(self) -> int:
        return len(self._faults)

    def raise_if_any(self) -> None:
        if self._faults:
            raise UserError(*self._faults)


def nearest(word: str, choices: Iterable[str]) -> Fault | str:
    """The hint "did you mean …?" with the closest of `choices`, or an empty string. Capitals make no difference but
    between those that are as close.

    >>> nearest("activaton", ["activation", "hidden"]).values, nearest("mpg", ["MPG", "Weight"]).values
    ({'word': 'activation'}, {'word': 'MPG'})
    """
    spelled = list(choices)
    same = [choice for choice in spelled if choice.casefold() == word.casefold()]
    close = same or difflib.get_close_matches(word, spelled, n=1, cutoff=0.6)
    if not close:
        folded = {choice.casefold(): choice for choice in reversed(spelled)}
        close = [folded[one] for one in difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)]
    return Fault("base.did-you-mean", {"word": close[0]}) if close else ""
