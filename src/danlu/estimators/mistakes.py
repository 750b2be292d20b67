"""A user's mistakes as scikit-learn's callers expect them: they catch ValueError."""

import contextlib
from collections.abc import Generator

from danlu.base.errors import StorageError, UserError
from danlu.base.memory import OutOfMemoryError


class EstimatorError(UserError, ValueError):
    """A mistake in an estimator's settings or data: a UserError for danlu, a ValueError for scikit-learn."""


@contextlib.contextmanager
def as_value_errors() -> Generator[None]:
    """Run a block whose UserErrors become EstimatorErrors; a full disk or memory is no wrong value, and stays.

    >>> from danlu.base.errors import fail
    >>> try:
    ...     with as_value_errors():
    ...         fail("recipe.missing-file", path="lenet.toml")
    ... except ValueError as error:
    ...     print(error)
    lenet.toml: there is no such recipe file.
    """
    try:
        yield
    except (StorageError, OutOfMemoryError):
        raise
    except UserError as error:
        raise EstimatorError(*error.faults) from None
